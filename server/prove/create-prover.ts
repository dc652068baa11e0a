import { mkdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Run, Start } from '../../appliance/run.ts'
import type { ProofBoot } from '../api/proof.ts'
import { digestOf } from '../image-store/digest.ts'
import { planRaw } from '../image-store/export/plan-raw.ts'
import { writeImageFile } from '../image-store/export/write-image-file.ts'
import type { Image, ImageStore } from '../image-store/open-image-store.ts'
import { accelerator as findAccelerator } from '../rack/accelerator.ts'
import { MachineFailure } from '../rack/machine-failure.ts'
import { allOrNone } from './all-or-none.ts'
import { programVersions } from './program-versions.ts'
import { nameOfBoot, proofPaths } from './proof-paths.ts'
import { proveBoot, type ProvenBoot } from './prove-boot.ts'
import { bootsOf, describeBoot, Unproven, type Prove, type Proven } from './prove.ts'
import { requireProofNeeds } from './proof-needs.ts'

export interface ProverOptions {
  images: Pick<ImageStore, 'registry'>
  /** `proofs` of the data directory; see `proofPaths`. */
  directory: string
  /** Every UEFI machine has Secure Boot on, whether the recipe asks for it or not. Default false. */
  secureBoot?: boolean
  run: Run
  start: Start
}

/** What a console may add to the record of a proof, in bytes; of a longer one its end. */
const mostConsoleBytes = 1024 * 1024

const seconds = (ms: number): number => Math.round(ms / 100) / 10

/** Proves images in QEMU, on this host: all copies of an image side by side, one for each processor. */
export function createProver({ images, directory, secureBoot = false, run, start }: ProverOptions): Prove {
  const paths = proofPaths(directory)
  return async (image, plan, { job, onEvent, signal }): Promise<Proven> => {
    const boots = bootsOf(plan, { secureBoot })
    await requireProofNeeds(boots)
    const accelerator = await findAccelerator(run)
    const work = paths.work(job)
    await rm(work, { recursive: true, force: true })
    await Promise.all([work, paths.consoles(image.version)].map((each) => mkdir(each, { recursive: true })))
    try {
      onEvent({ kind: 'waiting', for: 'a disk to be made of the image' })
      const diskPath = join(work, 'disk.raw')
      await writeImageFile(planRaw(image), images.registry.blobs(image.name), diskPath, { signal })

      const bootCopy = async (boot: ProofBoot, index: number, either: AbortSignal): Promise<ProvenBoot & { console: Buffer }> => {
        const consolePath = paths.console(image.version, boot)
        const shown = await proveBoot({
          ...{ boot, copy: index, diskPath, consolePath, accelerator, run, start, signal: either, checks: plan.checks },
          directory: join(work, nameOfBoot(boot)),
          hasSsh: image.config.packages.some(({ name }) => name === 'openssh-server'),
          timeoutMs: plan.timeoutSeconds * 1000,
          onEvent: (event) => onEvent(event, { boot, index, count: boots.length }),
        }).catch((error: unknown) => {
          throw error instanceof MachineFailure ? unproven(boot, error) : error
        })
        return { ...shown, console: (await readFile(consolePath)).subarray(-mostConsoleBytes) }
      }
      const proven = await allOrNone(boots, bootCopy, { concurrency: availableParallelism(), signal })
      requireOwnIdentities(proven)
      return { record: recordOf(image, proven, { accelerator, programs: await programVersions(boots, run) }), consoles: proven.map(({ boot, console }) => ({ boot, text: console })) }
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
}

const unproven = (boot: ProofBoot, failure: MachineFailure): Unproven =>
  new Unproven({ message: `a copy on ${describeBoot(boot)} ${failure.reason}`, lastLines: failure.consoleTail }, { cause: failure })

/** Two copies of an image must not pass for one another (B24). */
function requireOwnIdentities(proven: readonly ProvenBoot[]): void {
  for (const [index, { boot, identity }] of proven.entries()) {
    for (const part of ['machineId', 'sshHostKey'] as const) {
      const twin = proven.slice(0, index).find((other) => identity !== undefined && other.identity?.[part] === identity[part])
      if (twin === undefined) continue
      throw new Unproven({ message: `a copy on ${describeBoot(boot)} has the same ${part} as the one on ${describeBoot(twin.boot)}: ${identity?.[part]}` })
    }
  }
}

function recordOf({ name, digest }: Image, proven: readonly (ProvenBoot & { console: Buffer })[], on: { accelerator: string; programs: Record<string, string> }): Proven['record'] {
  return {
    version: 1,
    image: name,
    digest,
    proof: 'booted',
    boots: proven.map(({ boot, loginMs, checkedMs, checks, console }) => ({
      ...boot,
      loginSeconds: seconds(loginMs),
      seconds: seconds(checkedMs),
      checks: checks.map(({ check, ms }) => ({ check, seconds: seconds(ms) })),
      console: digestOf(console),
    })),
    ...on,
    provenAt: new Date().toISOString(),
  }
}
