import { join } from 'node:path'

/** What `bench image` was asked for. */
export interface ImageOptions {
  /** How often each side is measured, in turn; casync, which nothing is held against, once. */
  rounds: number
  /** Only what Ingot's speed is held to: the first build and its restore, beside partclone. */
  quick: boolean
  /** One line of JSON in place of the table. */
  json: boolean
}

/** Where the benchmark finds and keeps things. */
export interface ImagePaths {
  /** Root filesystem, fetched packages and the disks made of them; outlasts a run. */
  cache: string
  /** Stores, streams and restored disks of the last run. */
  run: string
}

export const imagePaths = (cacheDirectory: string): ImagePaths => ({
  cache: join(cacheDirectory, 'bench', 'image'),
  run: join(cacheDirectory, 'bench', 'image', 'run'),
})

/** The disks that are imaged, in this order: a first build, the same disk with one more package, and the first one with one changed file. */
export const scenarios = ['first build', 'one more package', 'one file changed'] as const
export type Scenario = (typeof scenarios)[number]

/** Who images and restores them. */
export const sides = ['ingot', 'partclone', 'dd', 'casync'] as const
export type Side = (typeof sides)[number]

/** Who images which disks in a round. */
export interface RoundPlan {
  sides: readonly Side[]
  scenarios: readonly Scenario[]
}

/** What each round measures. casync takes about as long as all others together. */
export const planRounds = ({ rounds, quick }: Pick<ImageOptions, 'rounds' | 'quick'>): RoundPlan[] =>
  Array.from({ length: rounds }, (_, round): RoundPlan => {
    if (quick) return { sides: ['ingot', 'partclone'], scenarios: ['first build'] }
    return { sides: sides.filter((side) => side !== 'casync' || round === 0), scenarios }
  })

/** What imaging or restoring a disk took. */
export interface Measured {
  wallMs: number
  /** Of all processes at work, on both ends. */
  cpuMs: number
  /** Sent over the wire or, by casync, put into the store. */
  bytes: number
}
