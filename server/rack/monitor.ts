import { on } from 'node:events'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'

/** What QEMU's monitor tells of a machine that has just been powered on. */
export interface MonitorAnswer {
  /** Which port of this host's loopback leads to which TCP port of the machine: `22 → 41727`. */
  forwards: ReadonlyMap<number, number>
}

interface QmpMessage {
  return?: unknown
  error?: { desc: string }
}

/**
 * Asks QEMU's monitor which ports it was given for its user network, over a socket that speaks QMP (QEMU, docs/interop/qmp-intro.rst). Throws when the
 * socket closes before the answer came.
 */
export async function askMonitor(monitor: Duplex): Promise<MonitorAnswer> {
  // It breaks with the machine, of which its end tells.
  monitor.on('error', () => {})
  const lines = createInterface({ input: monitor })
  const send = (command: object): void => void monitor.write(`${JSON.stringify(command)}\n`)
  send({ execute: 'qmp_capabilities' })
  send({ execute: 'human-monitor-command', arguments: { 'command-line': 'info usernet' } })
  try {
    for await (const [line] of on(lines, 'line', { close: ['close'] }) as AsyncIterable<[string]>) {
      const { return: answer, error } = JSON.parse(line) as QmpMessage
      if (error !== undefined) throw new Error(`the monitor of QEMU refused: ${error.desc}`)
      if (typeof answer === 'string') return { forwards: parseForwards(answer) }
    }
  } finally {
    lines.close()
    // What it tells from here on is for nobody, and must not fill its buffers.
    monitor.resume()
  }
  throw new Error('the monitor of QEMU closed without an answer')
}

/** Lines such as `  TCP[HOST_FORWARD]   9       127.0.0.1 41727       10.0.2.15    22     0     0`. */
export const parseForwards = (text: string): Map<number, number> =>
  new Map([...text.matchAll(/^\s*TCP\[HOST_FORWARD\]\s+\d+\s+\S+\s+(\d+)\s+\S+\s+(\d+)/gm)].map(([, from, to]) => [Number(to), Number(from)]))
