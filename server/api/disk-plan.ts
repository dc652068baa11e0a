import { Type, type Static } from 'typebox'
import { diskRuleSchema, type Plan } from '../../images/plan.ts'
import { chooseDisk, renderDisk, type DiskChoice } from './choose-disk.ts'
import { diskSchema, type Disk, type Inventory, type MachineSystem } from './machine.ts'

const closed = { additionalProperties: false }

/** What decides which disk a job writes, and whether its machine is one for it. */
export const diskTargetSchema = Type.Object(
  {
    rule: diskRuleSchema,
    /** The image that is to be deployed, which only machines and disks like those that it was made for can hold. */
    image: Type.Optional(
      Type.Object({ name: Type.String(), version: Type.String(), architecture: Type.String(), firmware: Type.Array(Type.String()), sectorBytes: Type.Integer() }, closed),
    ),
  },
  closed,
)
export type DiskTarget = Static<typeof diskTargetSchema>

/** What a job would do to the disks of a machine: the answer to `GET /machines/<id>/plan`. */
export const diskPlanSchema = Type.Object(
  {
    machine: Type.String(),
    /** When the machine told of the disks that were judged. */
    seenAt: Type.Optional(Type.String({ format: 'date-time' })),
    /** For example `recipe debian-12`, `image web:web-1` or `job web-1`. */
    purpose: Type.String(),
    target: diskTargetSchema,
    verdict: Type.Enum(['erase', 'refused']),
    /** The verdict in one sentence for people. */
    summary: Type.String(),
    /** Node of the disk that would be written, as it was when the machine told of it. */
    device: Type.Optional(Type.String()),
    /** What was deployed to the machine and would be lost with its disk. */
    system: Type.Optional(Type.Object({ job: Type.String(), image: Type.String(), version: Type.String(), deployedAt: Type.String() }, closed)),
    disks: Type.Array(
      Type.Object(
        {
          disk: diskSchema,
          /** Whether its serial number is marked as scratch for this machine. */
          scratch: Type.Boolean(),
          fate: Type.Enum(['erased', 'kept']),
          /** Why it would not be written; a disk that would be has none. */
          reasons: Type.Array(Type.String()),
        },
        closed,
      ),
    ),
  },
  closed,
)
export type DiskPlan = Static<typeof diskPlanSchema>

/** What decides of the disks of a machine. */
export interface MachineDisks {
  inventory: Pick<Inventory, 'disks' | 'firmware' | 'architecture'>
  /** Serial numbers of the disks that may be written though they hold data. */
  scratchSerials: readonly string[]
}

/** The disk of a machine that is written for a target, or why none is (F1). The worker acts by it, the server foretells by it. */
export function judgeTarget({ inventory, scratchSerials }: MachineDisks, { rule, image }: DiskTarget): DiskChoice {
  const choice = chooseDisk(inventory.disks, rule, scratchSerials)
  const mismatch = image && machineMismatch(inventory, image)
  if (mismatch !== undefined) return { refusal: mismatch, seen: choice.seen }
  if ('refusal' in choice || image === undefined || choice.disk.logicalSectorBytes === image.sectorBytes) return choice
  const reason = `has sectors of ${choice.disk.logicalSectorBytes} bytes`
  return {
    refusal: `${renderDisk(choice.disk)} ${reason}: expected sectors of ${image.sectorBytes} bytes, for which ${image.name}:${image.version} was made`,
    seen: choice.seen.map((each) => (each.disk === choice.disk ? { disk: each.disk, reasons: [reason] } : each)),
  }
}

function machineMismatch({ architecture, firmware }: MachineDisks['inventory'], image: NonNullable<DiskTarget['image']>): string | undefined {
  const name = `${image.name}:${image.version}`
  if (architecture !== image.architecture) return `${name} is for ${image.architecture}: expected a machine of that architecture, got ${architecture}`
  if (!image.firmware.includes(firmware)) return `${name} boots with ${image.firmware.join(' and ')} only: expected a machine started by that, got ${firmware}`
  return undefined
}

/** What a script writes to, undefined for one that writes to no disk. */
export function diskTargetOf({ steps, architecture, firmware }: Pick<Plan, 'steps' | 'architecture' | 'firmware'>): DiskTarget | undefined {
  for (const step of steps) {
    if (step.kind === 'partition' || step.kind === 'start-from') return { rule: step.disk }
    if (step.kind === 'write-image') return { rule: step.disk, image: { name: step.image, version: step.version, architecture, firmware, sectorBytes: step.sectorBytes } }
  }
  return undefined
}

export interface PlannedMachine extends MachineDisks {
  id: string
  seenAt?: string
  system?: MachineSystem
}

/** Foretells what a job would do to the disks of a machine, as it last told of them. Nothing is asked of the machine. */
export function planDisks(machine: PlannedMachine, target: DiskTarget, purpose: string): DiskPlan {
  const judged = judgeTarget(machine, target)
  const written = 'disk' in judged ? judged.disk : undefined
  const { id, seenAt, system, scratchSerials } = machine
  return {
    machine: id,
    ...(seenAt === undefined ? {} : { seenAt }),
    purpose,
    target,
    verdict: written === undefined ? 'refused' : 'erase',
    summary: 'refusal' in judged ? `would write nothing: ${judged.refusal}` : renderErasure(judged.disk),
    ...(written === undefined ? {} : { device: written.device }),
    ...(system === undefined ? {} : { system: { job: system.job, image: system.image, version: system.version, deployedAt: system.deployedAt } }),
    disks: judged.seen.map(({ disk, reasons }) => ({
      disk,
      scratch: disk.serial !== '' && scratchSerials.includes(disk.serial),
      fate: disk === written ? 'erased' : 'kept',
      reasons: disk !== written && reasons.length === 0 ? ['the machine is none for this image'] : reasons,
    })),
  }
}

/** For example `would erase Samsung SSD 870 S/N S4EW, 480 GB (/dev/sda, sata), holding gpt partition table; ext4 filesystem "data" on /dev/sda1`. */
function renderErasure({ device, model, serial, sizeBytes, transport, contents }: Disk): string {
  const name = [model === '' ? 'a disk' : model, serial === '' ? 'without a serial number' : `S/N ${serial}`].join(' ')
  const where = [device, transport].filter((text) => text !== '').join(', ')
  return `would erase ${name}, ${renderSoldSize(sizeBytes)} (${where}), ${contents.length === 0 ? 'on which nothing was found' : `holding ${contents.join('; ')}`}`
}

/** As it stands on the disk's label: `480 GB`, `1.9 TB`. */
function renderSoldSize(bytes: number): string {
  const [unit, name] = bytes >= 1e12 ? [1e12, 'TB'] : bytes >= 1e9 ? [1e9, 'GB'] : [1e6, 'MB']
  return `${Number((bytes / unit).toPrecision(3))} ${name}`
}
