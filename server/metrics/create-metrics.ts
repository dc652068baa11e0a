import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { Logger } from 'pino'

/** The metrics of one server, in Prometheus' text format. */
export interface Metrics {
  readonly registry: Registry
  /** `read` sets metrics that are read when they are asked for; one that throws leaves them out, and is told. */
  readBefore(part: string, read: () => Promise<void>): void
  render(): Promise<{ contentType: string; text: string }>
}

/** Opens metrics with those of the process and of Node. */
export function createMetrics({ log, version }: { log: Logger; version: string }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  new Gauge({ name: 'ingot_build_info', help: 'The version that runs', labelNames: ['version'] as const, registers: [registry] }).set({ version }, 1)
  const readable = new Gauge({ name: 'ingot_readable', help: 'Whether a part could be read for this answer; the metrics of one that could not are left out', labelNames: ['part'] as const, registers: [registry] })
  const readers = new Map<string, () => Promise<void>>()

  return {
    registry,
    readBefore: (part, read) => void readers.set(part, read),
    async render() {
      await Promise.all(
        [...readers].map(async ([part, read]) => {
          try {
            await read()
            readable.set({ part }, 1)
          } catch (error) {
            log.warn({ err: error, about: part }, 'metrics cannot be read')
            readable.set({ part }, 0)
          }
        }),
      )
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}
