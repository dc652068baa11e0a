import type { MachineEvent } from '../api/event.ts'

/** Enough for several boots; a boot with its job has some fifty. */
const mostEvents = 400

/** Puts an event at the end of a machine's history, which holds of what repeats only the first and the latest word, and forgets the oldest. */
export function addEvent(events: MachineEvent[], event: MachineEvent): void {
  const [first, latest] = [events.at(-2), events.at(-1)]
  if (first !== undefined && latest !== undefined && repeats(first, event) && repeats(latest, event)) events.pop()
  events.push(event)
  if (events.length > mostEvents) events.shift()
}

/** The same step of the same job told again, an address that an operating system asks for again, or somebody who asks in its name again and again. */
function repeats(before: MachineEvent, event: MachineEvent): boolean {
  if (event.hop === 'step') return before.hop === 'step' && before.job === event.job && before.progress.stepIndex === event.progress.stepIndex
  if (event.hop === 'script-refused') return before.hop === 'script-refused' && before.address === event.address
  return event.hop === 'dhcp-ack' && event.file === '' && before.hop === 'dhcp-ack' && before.file === '' && before.address === event.address
}
