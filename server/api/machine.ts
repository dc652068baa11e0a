import { Type, type Static } from 'typebox'
import { digestSchema } from '../../images/component.ts'
import { imageNamePattern, imageVersionPattern } from './image.ts'

const closed = { additionalProperties: false }

/** A disk as the worker sees it. */
export const diskSchema = Type.Object(
  {
    /** Device node, for example `/dev/nvme0n1`; valid only during this boot. */
    device: Type.String(),
    sizeBytes: Type.Integer({ minimum: 0 }),
    logicalSectorBytes: Type.Integer({ minimum: 512 }),
    model: Type.String(),
    serial: Type.String(),
    wwn: Type.String(),
    /** `nvme`, `sata`, `sas`, `scsi`, `virtio`, `mmc`, `xen`, `usb`, `firewire`, or by a network: `iscsi`, `fc`, `nvme-tcp` and the like; empty when unknown. */
    transport: Type.String(),
    removable: Type.Boolean(),
    readOnly: Type.Boolean(),
    /**
     * What lies on it, each thing in words, for example `gpt partition table` or `ext4 filesystem "data" on /dev/sda1, last mounted at /srv on 2026-11-02`.
     * Empty only when it was looked through and nothing was found.
     */
    contents: Type.Array(Type.String()),
    /** Why it is not written whatever anyone marks, for example `is mounted at /srv`, `is part of md0` or `cannot be read (EIO at 4 MiB)`. Default: nothing. */
    unfit: Type.Optional(Type.Array(Type.String())),
    /** Ways on which the machine reaches it, where the kernel knows of several. Default: 1. */
    paths: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  closed,
)
export type Disk = Static<typeof diskSchema>

/** What a worker tells of its machine: the body of `PUT /machines/<id>.json`. */
export const inventorySchema = Type.Object(
  {
    /** The MAC of the boot NIC with dashes, for example `52-54-00-12-34-56`. */
    id: Type.String({ pattern: '^[0-9a-f]{2}(-[0-9a-f]{2}){5}$' }),
    /** SMBIOS system UUID, empty when the firmware has none. */
    uuid: Type.String(),
    firmware: Type.Enum(['bios', 'uefi']),
    /** Whether the running kernel was started under Secure Boot. */
    secureBoot: Type.Boolean(),
    architecture: Type.String(),
    manufacturer: Type.String(),
    model: Type.String(),
    serial: Type.String(),
    cpu: Type.Object({ model: Type.String(), cores: Type.Integer({ minimum: 1 }) }, closed),
    memoryBytes: Type.Integer({ minimum: 0 }),
    disks: Type.Array(diskSchema),
    nics: Type.Array(
      Type.Object({ name: Type.String(), mac: Type.String(), driver: Type.String(), speedMbps: Type.Integer({ minimum: -1 }) }, closed),
    ),
    /** Version of Ingot that the worker runs. */
    workerVersion: Type.String(),
  },
  closed,
)
export type Inventory = Static<typeof inventorySchema>

/** What an operator says of a machine, for example `{ "rack": "b2" }`: jobs may require it. */
export const labelsSchema = Type.Record(
  Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,62}$' }),
  Type.String({ minLength: 1, maxLength: 100, pattern: '^[^\\p{Cc}]*$', description: 'text of 1 to 100 characters' }),
  { ...closed, description: 'keys of up to 63 lower-case letters, digits, dots, dashes and underscores' },
)
export type Labels = Static<typeof labelsSchema>

/**
 * Whether a machine may have a credential. `waiting`: it asked what to boot and nobody has said yet. `elsewhere`: it was told of by another server that it
 * booted from. `by` is the token of who decided, or `configuration`.
 */
export const admissionSchema = Type.Object(
  { state: Type.Enum(['waiting', 'elsewhere', 'admitted', 'refused']), at: Type.String({ format: 'date-time' }), by: Type.Optional(Type.String()) },
  { ...closed, description: 'state, at and by' },
)
export type Admission = Static<typeof admissionSchema>

/** Body of `PUT /machines/<id>/labels`: they replace those that the machine had. */
export const labelsBodySchema = Type.Object({ labels: labelsSchema }, closed)

/** What a worker has deployed to its machine: the body of `PUT /machines/<id>/system` at the server that it booted from. */
export const machineSystemSchema = Type.Object(
  {
    /** As its own server names it. */
    job: Type.String({ minLength: 1 }),
    image: Type.String({ pattern: imageNamePattern }),
    version: Type.String({ pattern: imageVersionPattern }),
    digest: digestSchema,
    deployedAt: Type.String({ format: 'date-time' }),
  },
  { ...closed, description: 'job, image, version, digest and deployedAt' },
)
export type MachineSystem = Static<typeof machineSystemSchema>
