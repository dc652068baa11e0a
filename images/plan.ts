import { Type, type Static } from 'typebox'
import { componentRefSchema, digestSchema } from './component.ts'
import { identitySchema } from './identity.ts'
import { recipeCheckSchema } from './recipe.ts'
import { snapshotTagPattern } from './snapshot-tag.ts'

/*
 * The plan of a job is its script (B3): what a recipe becomes once every size is a sector number and every file a component.
 * It is made on the first computer by `planRecipe` (pure), stored as JSON, and executed by the worker (B21).
 */

const closed = { additionalProperties: false }

/**
 * Which disk a job may write (F1). Exactly one disk of the machine must fit every given field, and it must hold no data unless this
 * machine's disk is marked as scratch by its serial. Removable, USB and multipath disks never fit, unless named by serial or WWN.
 */
export const diskRuleSchema = Type.Object(
  {
    /** Smallest size that fits, in bytes. */
    minSizeBytes: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Largest size that fits, in bytes. */
    maxSizeBytes: Type.Optional(Type.Integer({ minimum: 0 })),
    /** Exact serial number, as the disk itself reports it. */
    serial: Type.Optional(Type.String({ minLength: 1 })),
    /** Exact World Wide Name, for example `0x5000c500a1b2c3d4`. */
    wwn: Type.Optional(Type.String({ minLength: 1 })),
    /** Exact model string. */
    model: Type.Optional(Type.String({ minLength: 1 })),
    /** How the disk is attached. */
    transport: Type.Optional(Type.Enum(['nvme', 'sata', 'sas', 'scsi', 'virtio'])),
  },
  closed,
)
export type DiskRule = Static<typeof diskRuleSchema>

export const filesystemSchema = Type.Enum(['ext4', 'xfs', 'btrfs', 'vfat'])
export type Filesystem = Static<typeof filesystemSchema>

/** One GPT partition, positions in bytes from the start of the disk, aligned to 1 MiB (UEFI 2.10, 5.3). */
export const plannedPartitionSchema = Type.Object(
  {
    /** GPT partition name, for example `root`. */
    name: Type.String({ minLength: 1, maxLength: 36 }),
    /** GPT type GUID, upper case (UEFI 2.10 table 5.7; Discoverable Partitions Specification). */
    typeGuid: Type.String({ pattern: '^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$' }),
    startBytes: Type.Integer({ minimum: 1048576 }),
    sizeBytes: Type.Integer({ minimum: 1048576 }),
    filesystem: Type.Optional(filesystemSchema),
    /** Where it is mounted in the installed system, for example `/` or `/boot/efi`. */
    mountPoint: Type.Optional(Type.String({ pattern: '^/' })),
    /** Unique GUID of the partition and UUID of its filesystem, fixed by the plan so that two builds of a recipe are alike. */
    partitionGuid: Type.String(),
    filesystemUuid: Type.Optional(Type.String()),
  },
  closed,
)
export type PlannedPartition = Static<typeof plannedPartitionSchema>

export const partitionStepSchema = Type.Object(
  {
    kind: Type.Literal('partition'),
    disk: diskRuleSchema,
    /** Size of the disk that the image describes; the layout ends here, whatever the size of the disk that is written. */
    diskSizeBytes: Type.Integer({ minimum: 1048576 }),
    diskGuid: Type.String(),
    partitions: Type.Array(plannedPartitionSchema, { minItems: 1 }),
  },
  closed,
)

/**
 * Starts from an image of the first computer in place of an empty disk: its partition table, its filesystems, its system. Nothing is written unless the
 * disk rule allows it (F1).
 */
export const startFromStepSchema = Type.Object(
  {
    kind: Type.Literal('start-from'),
    disk: diskRuleSchema,
    /** Size of the disk that the new image describes, that of the image at least; the last partition grows up to it. */
    diskSizeBytes: Type.Integer({ minimum: 1048576 }),
    image: Type.String({ pattern: '^[a-z0-9]+([._-][a-z0-9]+)*$' }),
    /** The version for people; what is taken goes by the digest. */
    version: Type.String(),
    /** Of the manifest. */
    digest: digestSchema,
  },
  closed,
)

/** Unpacks a root filesystem (a tar compressed with zstd) into the mounted partitions. */
export const rootfsStepSchema = Type.Object({ kind: Type.Literal('install-rootfs'), component: componentRefSchema }, closed)

/** Runs debootstrap on the worker itself, packages by way of the first computer. */
export const debootstrapStepSchema = Type.Object(
  {
    kind: Type.Literal('install-debootstrap'),
    suite: Type.String(),
    packages: Type.Array(Type.String()),
    /** A squashfs with debootstrap and what it runs on, mounted only for this step. */
    tools: componentRefSchema,
  },
  closed,
)

/** Installs Debian packages by apt in the installed system, by way of the first computer. */
export const packagesStepSchema = Type.Object(
  { kind: Type.Literal('install-packages'), packages: Type.Array(Type.String(), { minItems: 1 }) },
  closed,
)

/** Makes the disk boot by itself: GRUB for BIOS in the BIOS boot partition, signed shim and GRUB for UEFI at the removable-media path. */
export const bootloaderStepSchema = Type.Object(
  {
    kind: Type.Literal('install-bootloader'),
    firmware: Type.Array(Type.Enum(['bios', 'uefi']), { minItems: 1 }),
    /** Added to the kernel command line, for example `console=ttyS0,115200`. */
    kernelArguments: Type.String(),
  },
  closed,
)

export const fileStepSchema = Type.Object(
  {
    kind: Type.Literal('configure-file'),
    component: componentRefSchema,
    /** Absolute path in the installed system. */
    path: Type.String({ pattern: '^/' }),
    /** Octal permissions, for example `0644`. */
    mode: Type.String({ pattern: '^0[0-7]{3}$' }),
  },
  closed,
)

/** Runs a script in the installed system (chroot) as root; its first line names its interpreter. */
export const scriptStepSchema = Type.Object({ kind: Type.Literal('configure-script'), component: componentRefSchema }, closed)

/**
 * Keeps the disk as the steps before have made it under a tag of the image's name, which is never a version of it. A job that finds that there already
 * starts from it, in place of those steps.
 */
export const snapshotStepSchema = Type.Object(
  { kind: Type.Literal('snapshot'), image: Type.String({ pattern: '^[a-z0-9]+([._-][a-z0-9]+)*$' }), tag: Type.String({ pattern: snapshotTagPattern }) },
  closed,
)

/** Takes away what must differ between two copies: machine-id, SSH host keys, leases, logs, random seed (B24). */
export const generaliseStepSchema = Type.Object({ kind: Type.Literal('generalise') }, closed)

/** Captures the used blocks of the disk and streams them to the first computer (B23). */
export const imageStepSchema = Type.Object(
  { kind: Type.Literal('image'), image: Type.String({ pattern: '^[a-z0-9]+([._-][a-z0-9]+)*$' }) },
  closed,
)

/** Writes an image of the first computer onto a disk and reads it back. Nothing is written unless machine and disk fit the image, and the rule the disk. */
export const writeImageStepSchema = Type.Object(
  {
    kind: Type.Literal('write-image'),
    image: Type.String({ pattern: '^[a-z0-9]+([._-][a-z0-9]+)*$' }),
    /** The version for people; what is written goes by the digest. */
    version: Type.String(),
    /** Of the manifest. */
    digest: digestSchema,
    disk: diskRuleSchema,
    sectorBytes: Type.Integer({ minimum: 512 }),
  },
  closed,
)

/** Lets the last partition and its filesystem use all of the disk that an image was written to. */
export const growDiskStepSchema = Type.Object({ kind: Type.Literal('grow-disk') }, closed)

/** Makes the system that was written one of its own: name, users, keys and network, and an identity that no other copy has (B24). */
export const personaliseStepSchema = Type.Object({ kind: Type.Literal('personalise'), identity: identitySchema }, closed)

export const stepSchema = Type.Union([
  partitionStepSchema,
  startFromStepSchema,
  rootfsStepSchema,
  debootstrapStepSchema,
  packagesStepSchema,
  bootloaderStepSchema,
  fileStepSchema,
  scriptStepSchema,
  snapshotStepSchema,
  generaliseStepSchema,
  imageStepSchema,
  writeImageStepSchema,
  growDiskStepSchema,
  personaliseStepSchema,
])
export type Step = Static<typeof stepSchema>
export type StepKind = Step['kind']
export type StepOf<Kind extends StepKind> = Extract<Step, { kind: Kind }>

/**
 * What a booted copy of the image must show before the image is visible (F2, F3), for example
 * `{ firmware: ['bios', 'uefi'], checks: [{ run: 'systemctl is-active nginx' }], timeoutSeconds: 900 }`; `none`: it is published as it came.
 */
export const proofPlanSchema = Type.Union([
  Type.Literal('none'),
  Type.Object(
    {
      /** By each of these a copy is booted from nothing but its disk. */
      firmware: Type.Array(Type.Enum(['bios', 'uefi']), { minItems: 1 }),
      /** The UEFI machine has Secure Boot on. */
      secureBoot: Type.Optional(Type.Literal(true)),
      checks: Type.Array(recipeCheckSchema),
      /** For each firmware, from power-on to the last check. */
      timeoutSeconds: Type.Integer({ minimum: 1 }),
    },
    closed,
  ),
])
export type ProofPlan = Static<typeof proofPlanSchema>

/** What the image is: copied into the image's OCI config. */
export const planSchema = Type.Object(
  {
    version: Type.Literal(1),
    recipe: Type.Object({ name: Type.String(), digest: Type.String() }, closed),
    architecture: Type.Literal('amd64'),
    firmware: Type.Array(Type.Enum(['bios', 'uefi']), { minItems: 1 }),
    /** Programs that the steps need and the appliance does not carry: a squashfs mounted once the job is claimed (B20). */
    tools: componentRefSchema,
    steps: Type.Array(stepSchema, { minItems: 1 }),
    proof: proofPlanSchema,
  },
  closed,
)
export type Plan = Static<typeof planSchema>
