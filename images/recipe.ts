import { Type, type Static, type TSchema } from 'typebox'

/*
 * A recipe is a folder with `recipe.yaml`, which has this shape, and the files that it names. The schema is published as
 * `recipe.schema.json`. Each `description` is what an error message says was expected.
 */

const closed = { additionalProperties: false }

/** Names of recipes and images: `debian-12-nginx`. */
const name = Type.String({
  pattern: '^[a-z0-9]+([._-][a-z0-9]+)*$',
  maxLength: 100,
  description: 'lower-case letters and digits, joined by single dots, dashes or underscores, like debian-12',
})

/** A size that stands alone: `512MiB`, `4GiB`. */
const size = Type.String({ pattern: '^[1-9][0-9]*(MiB|GiB)$', description: 'a whole number of MiB or GiB, like 512MiB' })

/** A size on the disk: `512MiB`, `25%` of the disk, or `rest`, which one partition may have. */
const partitionSize = Type.String({
  pattern: '^(rest|[1-9][0-9]*%|[1-9][0-9]*(MiB|GiB))$',
  description: 'a whole number of MiB or GiB, a percentage of the disk, or rest',
})

/** A path in the installed system, written in its shortest form. */
const absolutePath = Type.String({
  pattern: '^/$|^(/(?!\\.{1,2}(/|$))[^/\\s]+)+$',
  description: 'an absolute path without . or .., like /etc/hosts',
})

/** A path in the recipe's own folder. */
const ownFile = Type.String({
  pattern: '^(?!\\.{1,2}(/|$))[^/\\s]+(/(?!\\.{1,2}(/|$))[^/\\s]+)*$',
  description: "the path of a file in the recipe's folder, without . or ..",
})

const mode = Type.String({ pattern: '^0[0-7]{3}$', description: "octal permissions in quotes, like '0644'" })
const text = (description: string) => Type.String({ minLength: 1, description })

/** Debian Policy 5.6.1. */
const packages = Type.Array(Type.String({ pattern: '^[a-z0-9][a-z0-9+.-]+$', description: 'the name of a Debian package' }), {
  minItems: 1,
  description: 'a list of at least one Debian package',
})

const suite = Type.Enum(['bookworm'], { description: 'a suite that Ingot installs' })
const base = Type.Object({ suite, packages }, { ...closed, description: 'suite and packages' })

/** What the base system of an image is made of, whichever way it is installed. */
export type RecipeBase = Static<typeof base>

type OneKey<Properties extends Record<string, TSchema>> = {
  [Key in keyof Properties]: { [Only in Key]: Static<Properties[Key]> }
}[keyof Properties]

/** An object with exactly one of these keys, so that a list of steps reads `- packages: [nginx]`. */
const oneKey = <Properties extends Record<string, TSchema>>(properties: Properties) =>
  Type.Unsafe<OneKey<Properties>>({
    type: 'object',
    properties,
    minProperties: 1,
    maxProperties: 1,
    ...closed,
    description: `exactly one of ${Object.keys(properties).join(', ')}`,
  })

const installStep = oneKey({
  /** A root filesystem made on the first computer by mmdebstrap, streamed to the worker and unpacked. */
  rootfs: base,
  /** The same, made on the worker itself by debootstrap. */
  debootstrap: base,
  /** Debian packages, by apt in the installed system. */
  packages,
  /** GRUB for each firmware of the recipe. Its arguments stand on the kernel command line. */
  bootloader: Type.Object(
    {
      kernelArguments: Type.String({
        pattern: '^[A-Za-z0-9_.,:=/@+ -]*$',
        description: 'kernel arguments without quotes, like console=ttyS0,115200',
      }),
    },
    { ...closed, description: 'kernelArguments' },
  ),
})

const configureStep = oneKey({
  file: Type.Object({ from: ownFile, to: absolutePath, mode: Type.Optional(mode) }, { ...closed, description: 'from, to and mode' }),
  /** A script of the recipe that runs in the installed system as root. */
  script: ownFile,
})

export const recipeCheckSchema = oneKey({
  run: text('a shell command'),
  http: Type.Object(
    {
      port: Type.Integer({ minimum: 1, maximum: 65535, description: 'a TCP port' }),
      path: Type.String({ pattern: '^/\\S*$', description: 'the path of a URL, like /' }),
      status: Type.Integer({ minimum: 100, maximum: 599, description: 'an HTTP status, like 200' }),
      contains: Type.Optional(text('text that the body contains')),
    },
    { ...closed, description: 'port, path, status and contains' },
  ),
})

const partition = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,35}$', description: 'up to 36 lower-case letters, digits and dashes' }),
    type: Type.Enum(['bios-boot', 'esp', 'linux', 'linux-root'], { description: 'a partition type' }),
    filesystem: Type.Optional(Type.Enum(['ext4', 'xfs', 'btrfs', 'vfat'], { description: 'a filesystem' })),
    mount: Type.Optional(absolutePath),
    size: partitionSize,
  },
  { ...closed, description: 'a partition with name, type and size' },
)

const firmware = Type.Enum(['bios', 'uefi'], { description: 'a firmware' })

const proofChoices = 'none, or firmware, secureBoot and timeoutSeconds'

/** How the image is proven: `none`, or by which firmware a copy of it must boot and pass the checks. */
const proof = Type.Union(
  [
    Type.Literal('none', { description: proofChoices }),
    Type.Object(
      {
        /** Default: each firmware of the recipe. */
        firmware: Type.Optional(Type.Array(firmware, { minItems: 1, uniqueItems: true, description: 'a list of bios, uefi or both' })),
        /** The UEFI machine has Secure Boot on. Default false. */
        secureBoot: Type.Optional(Type.Boolean({ description: 'true or false' })),
        /** From power-on to the last check, for each firmware. Default 900. */
        timeoutSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400, description: 'whole seconds, at most a day' })),
      },
      { ...closed, description: 'firmware, secureBoot and timeoutSeconds' },
    ),
  ],
  { description: proofChoices },
)

/** By what a disk of a machine is chosen (F1): all that is given must hold. */
export const diskChoiceFields = {
  minSize: Type.Optional(size),
  maxSize: Type.Optional(size),
  serial: Type.Optional(text('the serial number of a disk')),
  wwn: Type.Optional(text('the World Wide Name of a disk')),
  model: Type.Optional(text('the model of a disk')),
  transport: Type.Optional(Type.Enum(['nvme', 'sata', 'sas', 'scsi', 'virtio'], { description: 'how a disk is attached' })),
} as const

export const recipeSchema = Type.Object(
  {
    /** The name of the recipe's folder. */
    name,
    description: text('one sentence for people'),
    architecture: Type.Enum(['amd64'], { description: 'an architecture that Ingot builds for' }),
    /** What the image boots with. */
    firmware: Type.Array(firmware, { minItems: 1, uniqueItems: true, description: 'a list of bios, uefi or both' }),
    /** The size of the image's disk, and which disk of a machine may be written to make it (F1). */
    disk: Type.Object(
      {
        size,
        ...diskChoiceFields,
      },
      { ...closed, description: 'the size of the disk and the rule by which it is chosen' },
    ),
    /** An image of this first computer that the new one starts from, the newest version unless one is given: its partitions, its system. */
    from: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9]+([._-][a-z0-9]+)*(:[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127})?$',
        description: 'the name of an image, and a version after a colon if not the newest, like debian-12 or debian-12:web-1',
      }),
    ),
    /** Left out with `from`. */
    partitions: Type.Optional(Type.Array(partition, { minItems: 1, description: 'a list of partitions in the order of the disk' })),
    /** May be left out with `from`. */
    install: Type.Optional(Type.Array(installStep, { minItems: 1, description: 'a list of install steps' })),
    configure: Type.Optional(Type.Array(configureStep, { description: 'a list of configure steps' })),
    image: Type.Object({ name }, { ...closed, description: 'the name under which the image is published' }),
    /** What a booted copy must show before the image counts as good (F2). */
    check: Type.Optional(Type.Array(recipeCheckSchema, { description: 'a list of checks' })),
    /** How the first computer proves the image before anyone sees it (F2, F3). Default: each firmware of the recipe. */
    proof: Type.Optional(proof),
  },
  {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Ingot recipe',
    ...closed,
    description: 'a recipe',
  },
)

export type Recipe = Static<typeof recipeSchema>
export type RecipePartition = NonNullable<Recipe['partitions']>[number]
export type InstallStep = NonNullable<Recipe['install']>[number]
export type ConfigureStep = NonNullable<Recipe['configure']>[number]

/**
 * One thing that a booted copy of the image must show: `{ run: 'systemctl is-active nginx' }`, which is run there as root by `/bin/sh` and must
 * exit with 0, or `{ http: { port: 80, path: '/', status: 200, contains: 'Ingot' } }`, which is asked of the copy from outside.
 */
export type RecipeCheck = NonNullable<Recipe['check']>[number]
