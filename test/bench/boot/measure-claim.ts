import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Static } from 'typebox'
import type { MachineEvent } from '../../../server/api/event.ts'
import type { jobListSchema } from '../../../server/api/job.ts'
import { parseConfig } from '../../../server/config.ts'
import { followEvents } from '../../../server/demo/follow-events.ts'
import { startFirstComputer } from '../../../server/first-computer.ts'
import type { Machine } from '../../../server/rack/machine.ts'
import { openTokens } from '../../../server/tokens.ts'
import type { Mark, Measurement } from './measurement.ts'
import { measureBoot, type BootContext } from './power-on.ts'
import { openRequestLog, type ServedRequest } from './request-log.ts'
import { served } from './served.ts'

/** The first HTTP request of our stage 1: nothing that boots over this path can be there sooner. */
export const floorMark = 'stage 1 asks for stage 2'
export const claimMark = 'job claimed'

/** Boots a machine into our appliance until its worker holds a job, with a first computer and a job of its own. */
export async function measureClaim({ appliance, log, ...context }: BootContext & { appliance: string; log: Logger }): Promise<Measurement> {
  const data = join(context.directory, 'data')
  await mkdir(data, { recursive: true })
  // A claim asks nothing of the recipe, and there is none: a worker that is not switched off in time makes no work.
  const list: Static<typeof jobListSchema> = { version: 1, jobs: [{ id: 'bench', recipe: 'bench' }] }
  await writeFile(join(data, 'jobs.json'), JSON.stringify(list))
  const { interfaceName, address, port, range, router, nameServers } = served
  const netboot = { interface: interfaceName, range: `${range.first}-${range.last}`, router, nameServers }
  const file = { data, listen: `${address}:${port}`, netboot, appliance, admit: 'all' }
  const config = parseConfig(JSON.stringify(file), join(context.directory, 'ingot.yaml'))
  const firstComputer = await startFirstComputer({ config, log, run: context.run, start: context.start })
  const requestLog = openRequestLog()
  try {
    const token = await openTokens(data).create({ role: 'operator', name: 'bench' })
    return await measureBoot({
      ...context,
      without: 'no claimed job',
      wait: async (machine, signal) => {
        const [said, events] = await Promise.all([consoleMarks(machine, signal), untilClaim(followEvents({ url: firstComputer.url, token }, signal))])
        return claimMarks(events, requestLog.requests, said)
      },
    })
  } finally {
    requestLog.close()
    await firstComputer.close()
  }
}

async function untilClaim(events: AsyncIterable<MachineEvent>): Promise<MachineEvent[]> {
  const heard: MachineEvent[] = []
  for await (const event of events) {
    heard.push(event)
    if (event.hop === 'claim') return heard
  }
  throw new Error('the first computer ended its events before a claim')
}

/** When each init of the appliance said that it was there. */
function consoleMarks({ console }: Machine, signal: AbortSignal): Promise<Mark[]> {
  const said = { 'stage 1 begins': /^ingot: \S+ stage 1$/m, 'Node begins': /^ingot: \S+ worker starts$/m }
  const mark = async ([name, pattern]: [string, RegExp]): Promise<Mark> => ({ name, atMs: await console.waitFor(pattern, signal).then(() => Date.now()) })
  return Promise.all(Object.entries(said).map(mark))
}

/**
 * The way to the claim, in milliseconds since 1970. A file is fetched when its last byte has left this host, a request is asked when its header
 * has come in.
 */
export function claimMarks(events: readonly MachineEvent[], requests: readonly ServedRequest[], said: readonly Mark[]): Mark[] {
  const event = (name: string, fits: (event: MachineEvent) => boolean): Mark[] => 
    events.filter(fits).slice(0, 1).map(({ time }) => ({ name, atMs: Date.parse(time) }))
  const request = (name: string, method: string, path: string): Mark[] =>
    requests.filter((each) => each.method === method && each.url.split('?')[0] === path).slice(0, 1).map(({ atMs }) => ({ name, atMs }))
  const marks = [
    ...event('firmware has an address', ({ hop }) => hop === 'dhcp-ack'),
    ...event('boot program fetched by TFTP', ({ hop }) => hop === 'tftp'),
    ...request('iPXE asks for its script', 'GET', '/boot/ipxe'),
    ...event('kernel fetched', ({ hop }) => hop === 'kernel'),
    ...event('initramfs fetched', ({ hop }) => hop === 'initramfs'),
    ...said,
    ...request(floorMark, 'GET', '/boot/stage2.squashfs'),
    ...event('stage 2 fetched', ({ hop }) => hop === 'stage2'),
    ...request('worker asks for its credential', 'POST', '/credentials'),
    ...request('worker asks for jobs', 'GET', '/jobs.json'),
    ...event(claimMark, ({ hop }) => hop === 'claim'),
  ]
  return marks.toSorted((one, other) => one.atMs - other.atMs)
}
