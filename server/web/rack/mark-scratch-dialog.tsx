import type { Disk } from '../../api/machine.ts'
import type { MachineCard } from '../../api/overview.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { ask } from '../state/ask.ts'
import { attempt } from '../state/notices.ts'
import { binaryBytes } from '../text.ts'
import { diskName, scratchPath } from './hardware.ts'

/** Asks before a disk that holds data is given up (F1): which one it is, and what would be lost. */
export function MarkScratchDialog({ card, disk, onClose }: { card: MachineCard; disk: Disk; onClose: () => void }) {
  const mark = () =>
    attempt(`${disk.serial} of ${card.id} may be overwritten now`, () =>
      ask(scratchPath(card.id, disk.serial), { method: 'PUT' }),
    )
  return (
    <ConfirmDialog title="May this disk be overwritten?" action={`Give up ${disk.serial}`} onConfirm={mark} onClose={onClose}>
      <p>
        <b>
          {disk.model || 'A disk without a model name'}, {binaryBytes(disk.sizeBytes)}
        </b>
        , serial number <b class="mono">{disk.serial}</b>, at <span class="mono">{diskName(disk)}</span> of the machine <span class="mono">{card.id}</span>.
      </p>
      <p>It holds: {disk.contents.join(', ')}.</p>
      <p>The next job of this machine whose rule fits this disk erases all of that. There is no way back.</p>
    </ConfirmDialog>
  )
}
