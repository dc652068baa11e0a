import type { Hop, MachineEvent } from '../../api/event.ts'

/** What a machine does when a job or a boot of it is over. */
const ends: readonly Hop[] = ['performed', 'failed', 'lost', 'local-disk']

/**
 * The events of the last attempt of a machine at a job, oldest first, from the boot that led to it when nothing else lies between; and after it the proof of
 * the image that it made.
 */
export function eventsOfJob(events: readonly MachineEvent[], job: string): MachineEvent[] {
  const isOf = (event: MachineEvent): boolean => 'job' in event && event.job === job
  const claim = events.findLastIndex((event) => event.hop === 'claim' && event.job === job)
  if (claim === -1) return events.filter(isOf)
  let first = claim
  while (first > 0 && !ends.includes(events[first - 1]!.hop) && !(events[first - 1]!.hop === 'image')) first--
  // Of a boot that began twice the last begin counts: firmware asks again when it was switched off and on.
  const script = events.findLastIndex(({ hop }, index) => hop === 'boot-script' && index >= first && index < claim)
  const boot = events.slice(first, claim)
  const begin = script === -1 ? -1 : boot.findIndex(({ hop }, index) => hop === 'dhcp-discover' && first + index < script)
  return [...(begin === -1 ? boot.filter(({ hop }) => hop === 'worker') : boot.slice(begin)).filter((event) => !('job' in event)), ...events.slice(claim).filter(isOf)]
}
