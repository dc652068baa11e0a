import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import Fastify from 'fastify'
import { pino } from 'pino'
import { run, start } from '../../../appliance/run.ts'
import type { NewMachineEvent } from '../../../server/event-log.ts'
import { bootRoutes } from '../../../server/netboot/boot-routes.ts'
import { startNetboot, type AddressOptions, type Netboot, type NetbootOptions } from '../../../server/netboot/netboot.ts'
import type { TestNetwork } from '../../helpers/test-network.ts'

export interface Served {
  netboot: Netboot
  /** Milliseconds on the clock of the events. */
  nowMs(): number
  events: (NewMachineEvent & { atMs: number })[]
  /** Resolves with the first event that fits, also one that was before. */
  waitFor(fits: (event: NewMachineEvent) => boolean): Promise<NewMachineEvent>
  close(): Promise<void>
}

/** What is given on the test network unless a test says otherwise. */
export const addresses: AddressOptions = {
  range: { first: '10.77.0.100', last: '10.77.0.199' },
  leaseSeconds: 3600,
  router: undefined,
  nameServers: [],
  domain: undefined,
  relayed: [],
  reservations: new Map(),
}

/** All boot services on the test network, with three files of text in place of the appliance. Machines are admitted once they have asked so often. */
export async function serve(
  { interfaceName, address, prefixLength, directory }: TestNetwork,
  { asksBeforeAdmission = 0, ...more }: Partial<NetbootOptions> & { asksBeforeAdmission?: number } = {},
): Promise<Served> {
  const httpUrl = `http://${address}:8080`
  const events: Served['events'] = []
  const waiting = new Set<(event: NewMachineEvent) => void>()
  const startedAt = performance.now()
  const nowMs = () => Math.round(performance.now() - startedAt)
  const emit = (event: NewMachineEvent) => {
    events.push({ ...event, atMs: nowMs() })
    for (const tell of waiting) tell(event)
  }
  const netboot = await startNetboot({
    interfaceName,
    address,
    prefixLength,
    dhcp: addresses,
    policies: [],
    allowOtherServers: true,
    dataDirectory: join(directory, 'data'),
    httpUrl,
    routerAdvertisements: false,
    emit,
    // Standard output is the scenario's result.
    log: pino({ level: process.env.INGOT_LOG ?? 'warn' }, pino.destination(2)),
    run,
    start,
    ...more,
  })
  const app = Fastify()
  const appliance = {
    kernel: join(directory, 'vmlinuz'),
    initramfs: join(directory, 'initramfs.img'),
    stage2: join(directory, 'stage2.squashfs'),
    inventory: join(directory, 'inventory.squashfs'),
  }
  // On BIOS iPXE takes any file that fits below 640 KiB for a boot program, and runs it.
  let asked = 0
  for (const path of Object.values(appliance)) await writeFile(path, Buffer.alloc(1024 * 1024, 'not a real one'))
  await app.register(bootRoutes, {
    httpUrl,
    appliance,
    stage2Digest: `sha256:${'0'.repeat(64)}`,
    bootFiles: netboot.bootFiles,
    issueTicket: async (machine) => `ticket-of-${machine}`,
    knownAtBoot: async () => ({ hasWork: true, isAdmitted: asked >= asksBeforeAdmission }),
    async onWaiting(machine, from) {
      asked++
      emit({ machine, hop: 'admission', state: 'waiting', address: from })
    },
    machineAt: netboot.machineAt,
    whyNotAt: netboot.whyNotAt,
    emit,
  })
  await app.listen({ host: address, port: 8080 })
  return {
    netboot,
    nowMs,
    events,
    waitFor(fits) {
      const before = events.find(fits)
      if (before !== undefined) return Promise.resolve(before)
      return new Promise((resolve) => {
        const tell = (event: NewMachineEvent) => {
          if (!fits(event)) return
          waiting.delete(tell)
          resolve(event)
        }
        waiting.add(tell)
      })
    },
    async close() {
      await app.close()
      await netboot.close()
    },
  }
}
