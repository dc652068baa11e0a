import type { MachineEvent } from '../api/event.ts'
import type { MachineStanding } from '../api/timeline.ts'
import { addressStages } from './address-stages.ts'
import { bootStages } from './boot-stages.ts'
import { isBootQuestion, splitBoots } from './split-boots.ts'
import type { Stage, StageFacts, Stages } from './stage.ts'
import { workStages } from './work-stages.ts'

const stages = { ...addressStages, ...bootStages, ...workStages } satisfies Stages<MachineEvent['hop']>

/**
 * Where a machine is now, from what is known of it, oldest first; when it stopped, where and the likely cause (F8). Pure, and free of Node, so that a page
 * may use it as well. Undefined without any event. For example, at 21:22 and after three TFTP transfers that stalled at 21:21,
 * `{ state: 'stopped', what: 'asked for undionly.kpxe three times, never acknowledged block 1', cause: 'check the firewall for UDP high ports: …' }`.
 */
export function diagnoseMachine(events: readonly MachineEvent[], nowMs: number): MachineStanding | undefined {
  const boots = splitBoots(events)
  const boot = boots.at(-1)
  const newest = boot?.at(-1)
  if (boot === undefined || newest === undefined) return undefined
  const event = lastThatTells(boot)
  if (event === undefined) return { state: 'own-disk', hop: newest.hop, since: newest.time, what: 'its operating system asks for an address' }
  const { state, doing, stops } = stageOf({ event, boot })
  const standing = { hop: event.hop, since: event.time }
  const again = comesBack(boots)
  if (again >= tooOften && event.hop === 'local-disk') return { ...standing, state: 'stopped', what: `was sent to its own disk ${again} times, and came back each time`, cause: noSystem }
  if (stops === undefined || nowMs - Date.parse(event.time) < stops.afterSeconds * 1000) return { ...standing, state, what: doing }
  const row = 1 + boots.slice(0, -1).toReversed().findIndex((each) => lastThatTells(each)?.hop !== event.hop)
  const before = row === 0 ? boots.length : row
  return { ...standing, state: 'stopped', what: before > 1 ? `${stops.happened} (${before} boots in a row)` : stops.happened, cause: stops.cause }
}

const stageOf = (facts: StageFacts): Stage => (stages[facts.event.hop] as (facts: StageFacts) => Stage)(facts)

/** The newest event that tells where the machine is: not a lease that an operating system renews, nor what became of an image that it made earlier. */
function lastThatTells(boot: readonly MachineEvent[]): MachineEvent | undefined {
  const hasFile = boot.some(({ hop }) => hop === 'tftp')
  const job = boot.findLast(({ hop }) => hop === 'claim')
  const tells = (event: MachineEvent): boolean => {
    switch (event.hop) {
      case 'dhcp-discover':
        return isBootQuestion(event)
      case 'dhcp-offer':
        return event.address === '' || event.file !== ''
      case 'dhcp-ack':
        return event.file !== ''
      case 'tftp-asked':
        // GRUB and shim ask for much that need not be there.
        return event.found || !hasFile
      case 'proof':
        return false
      // Whoever asks in the name of a machine that has its script is another.
      case 'script-refused':
        return !boot.some(({ hop }) => hop === 'boot-script' || hop === 'local-disk')
      // Whoever shows the ticket after the worker has used it is not the worker.
      case 'ticket-refused':
        return !boot.some(({ hop }) => hop === 'credential')
      case 'performed':
      case 'failed':
      case 'lost':
        return isLatestJob(event.job, job) && !(event.hop === 'performed' && boot.some((each) => each.hop === 'image' && each.job === event.job))
      // The claim may be told before what the machine is.
      case 'worker':
        return job === undefined
      default:
        return true
    }
  }
  return boot.findLast(tells)
}

const isLatestJob = (job: string, claim: MachineEvent | undefined): boolean => claim === undefined || (claim.hop === 'claim' && claim.job === job)

/** So many boots in a row that were sent to the disk, each soon after the one before, are a machine without a system. */
const tooOften = 3
const soonMs = 10 * 60_000
const noSystem = 'nothing on its disk starts: see its console, look whether the disk is there and stands before the network in its boot order, or give it a job'

function comesBack(boots: readonly MachineEvent[][]): number {
  const sent = boots.map((boot) => boot.findLast(({ hop }) => hop === 'local-disk')?.time)
  let count = 0
  for (let index = sent.length - 1; index >= 0; index--) {
    const [time, later] = [sent[index], sent[index + 1]]
    if (time === undefined || (later !== undefined && Date.parse(later) - Date.parse(time) > soonMs)) break
    count++
  }
  return count
}
