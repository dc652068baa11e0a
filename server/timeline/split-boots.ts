import type { Hop, MachineEvent } from '../api/event.ts'

/** What firmware and iPXE do before they are told what to run: to repeat these is to try again, and no new boot. */
const beforeTheScript: readonly Hop[] = [
  ...(['dhcp-discover', 'dhcp-offer', 'dhcp-ack', 'dhcp-refused', 'dhcp-declined', 'dhcp-elsewhere'] as const),
  ...(['tftp-asked', 'tftp', 'tftp-stalled', 'tftp-refused', 'http', 'broken-off', 'script-refused'] as const),
]
/** Firmware that tries again does so within this time; later somebody has switched the machine on. */
const longestPauseMs = 30 * 60_000

/** Whether firmware or iPXE asks for what to boot, and not an operating system for an address. */
export const isBootQuestion = (event: MachineEvent): boolean => event.hop === 'dhcp-discover' && event.architecture !== 'none'

/** Divides the events of one machine, oldest first, into its boots: each from the first question of its firmware to the last word of what it started. */
export function splitBoots(events: readonly MachineEvent[]): MachineEvent[][] {
  const boots: MachineEvent[][] = []
  let current: MachineEvent[] = []
  let gotItsScript = false
  for (const event of events) {
    const last = current.at(-1)
    const pauseMs = last === undefined ? 0 : Date.parse(event.time) - Date.parse(last.time)
    if (last !== undefined && isBootQuestion(event) && (gotItsScript || pauseMs > longestPauseMs)) {
      boots.push(current)
      current = []
      gotItsScript = false
    }
    current.push(event)
    gotItsScript ||= !beforeTheScript.includes(event.hop)
  }
  return current.length === 0 ? boots : [...boots, current]
}
