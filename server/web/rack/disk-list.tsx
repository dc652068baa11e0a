import type { Disk } from '../../api/machine.ts'
import type { MachineCard } from '../../api/overview.ts'
import { ask } from '../state/ask.ts'
import { attempt } from '../state/notices.ts'
import { mayChange } from '../state/session.ts'
import { binaryBytes } from '../text.ts'
import { diskName, reasonsKept, scratchPath, standingOf, type DiskStanding } from './hardware.ts'

const told: Record<DiskStanding, string> = {
  empty: 'empty, may be written',
  marked: 'marked scratch, may be overwritten',
  'holds data': 'holds data, never written',
  'never picked': 'never picked',
}

const unmark = (machine: string, serial: string) => attempt(`${serial} of ${machine} is not written any more as long as it holds data`, () => ask(scratchPath(machine, serial), { method: 'DELETE' }))

/** The disks of a machine, what lies on them, and whether a job may write them. */
export function DiskList({ card, onMark }: { card: MachineCard; onMark: (disk: Disk) => void }) {
  if (card.disks.length === 0) return <p class="muted">{card.hardware === undefined ? 'The worker of this machine has not told its disks yet.' : 'No disks were found.'}</p>
  return (
    <ul class="disk-list">
      {card.disks.map((disk) => {
        const standing = standingOf(disk, card)
        return (
          <li key={disk.device} class={standing.replace(' ', '-')}>
            <p>
              <b class="mono">{diskName(disk)}</b> {binaryBytes(disk.sizeBytes)} <span class="muted">{[disk.model, disk.transport].filter(Boolean).join(', ')}</span>
            </p>
            <p class="muted">
              serial <span class="mono">{disk.serial || 'none'}</span>
              {disk.contents.length === 0 ? null : `; ${disk.contents.join(', ')}`}
            </p>
            <p class="standing">
              <i aria-hidden="true" /> {told[standing]}
              {standing === 'never picked' ? `: ${reasonsKept(disk).join(', ')}` : null}
              {standing === 'holds data' && disk.serial !== '' && mayChange.value ? (
                <button type="button" onClick={() => onMark(disk)}>
                  Mark as scratch…
                </button>
              ) : null}
              {standing === 'marked' && mayChange.value ? (
                <button type="button" onClick={() => void unmark(card.id, disk.serial)}>
                  Take the mark off
                </button>
              ) : null}
            </p>
          </li>
        )
      })}
    </ul>
  )
}
