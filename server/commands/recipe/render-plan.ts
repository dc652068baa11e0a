import prettyBytes from 'pretty-bytes'
import type { Plan, Step } from '../../../images/plan.ts'
import { renderTable } from '../render-table.ts'

const size = (bytes: number): string => prettyBytes(bytes, { binary: true })

/** What a step does, in a few words; nothing for one whose kind says it all. */
function describe(step: Step): string {
  switch (step.kind) {
    case 'partition':
      return `${step.partitions.length} partitions on a disk of ${size(step.diskSizeBytes)}`
    case 'start-from':
      return `image ${step.image}:${step.version}`
    case 'install-rootfs':
    case 'configure-script':
      return step.component.name
    case 'install-packages':
      return step.packages.join(' ')
    case 'configure-file':
      return `${step.component.name} → ${step.path}`
    case 'image':
    case 'snapshot':
      return step.image
    default:
      return ''
  }
}

/** The layout of the disk and the steps, one a line. */
export function renderPlan({ recipe, firmware, steps }: Plan, width: number | undefined): string[] {
  const partitions = steps.flatMap((step) => (step.kind === 'partition' ? step.partitions : []))
  const rows = partitions.map(({ name, sizeBytes, filesystem, mountPoint }, index) => [String(index + 1), name, size(sizeBytes), filesystem ?? '', mountPoint ?? ''])
  return [
    `${recipe.name}, boots with ${firmware.join(' and ')}`,
    ...(rows.length === 0 ? [] : ['', ...renderTable(['PARTITION', 'NAME', 'SIZE', 'FILESYSTEM', 'MOUNT'], rows, width)]),
    '',
    ...renderTable(['STEP', 'KIND', ''], steps.map((step, index) => [String(index + 1), step.kind, describe(step)]), width),
  ]
}
