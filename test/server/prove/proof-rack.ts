import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Plan, ProofPlan } from '../../../images/plan.ts'
import { withJobDefaults, type Job } from '../../../server/api/job.ts'
import type { NewMachineEvent } from '../../../server/event-log.ts'
import { digestOf } from '../../../server/image-store/digest.ts'
import type { LayoutRegistry } from '../../../server/image-store/layout-registry.ts'
import { openImageStore, type Image, type ImageStore } from '../../../server/image-store/open-image-store.ts'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import { createJobService, type JobService } from '../../../server/jobs/job-service.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import type { Prove, Proven } from '../../../server/prove/prove.ts'
import { createReceiveImage } from '../../../server/prove/receive-image.ts'
import { startProofs, type Proofs, type ProofsOptions } from '../../../server/prove/start-proofs.ts'
import { filled, makeSample, sampleConfig } from '../image-store/sample-image.ts'

export const asked: ProofPlan = { firmware: ['bios', 'uefi'], checks: [], timeoutSeconds: 60 }

export const planWith = (proof: ProofPlan): Plan => ({
  version: 1,
  recipe: { name: 'r', digest: 'sha256:0' },
  architecture: 'amd64',
  firmware: ['bios', 'uefi'],
  tools: { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 0 },
  steps: [{ kind: 'image', image: 'disk' }],
  proof,
})

/** What a proof that succeeds comes to. */
export function provenOf({ name, digest }: Image): Proven {
  const text = Buffer.from('Debian GNU/Linux 12 bios ttyS0\n\nbios login: ')
  return {
    record: {
      version: 1,
      image: name,
      digest,
      proof: 'booted',
      boots: [{ firmware: 'bios', secureBoot: false, loginSeconds: 26.2, seconds: 34.5, checks: [], console: digestOf(text) }],
      programs: { qemu: '7.2.22' },
      accelerator: 'kvm',
      provenAt: '2026-11-24T12:00:00.000Z',
    },
    consoles: [{ boot: { firmware: 'bios', secureBoot: false }, text }],
  }
}

/** A proof that is under way until the test ends it. */
export function heldProof() {
  const begun: { image: Image; signal: AbortSignal; end: (how: 'good' | Error) => void }[] = []
  const prove: Prove = (image, _, { signal, onEvent }) =>
    new Promise((resolve, reject) => {
      const boot = { firmware: 'bios', secureBoot: false } as const
      onEvent({ kind: 'power-on' }, { boot, index: 0, count: 2 })
      onEvent({ kind: 'waiting', for: 'the login prompt' }, { boot, index: 0, count: 2 })
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
      begun.push({ image, signal, end: (how) => (how === 'good' ? resolve(provenOf(image)) : reject(how)) })
    })
  return { prove, begun }
}

export interface ProofServer {
  jobs: JobService
  images: ImageStore & { registry: LayoutRegistry }
  proofs: Proofs
  /** A worker takes the job, sends its image and is answered. Returns its claim token. */
  deliver(id: string, value?: number): Promise<string>
  stop(): Promise<void>
}

export interface ProofRack {
  directory: string
  events: NewMachineEvent[]
  clock: { ms: number }
  serve(options: Pick<ProofsOptions, 'prove'> & Partial<ProofsOptions>, proof?: ProofPlan): Promise<ProofServer>
  add(server: ProofServer, id: string, more?: Partial<Job>): Promise<void>
  remove(): Promise<void>
}

/** Servers on one list and one store of images, with the real stores and services, whose proofs are what the test says. */
export async function openProofRack(openStore?: () => Promise<JobStore>): Promise<ProofRack> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-proofs-'))
  const servers: ProofServer[] = []
  const events: NewMachineEvent[] = []
  const clock = { ms: Date.parse('2026-11-24T12:00:00Z') }
  return {
    directory,
    events,
    clock,
    async serve(options, proof = asked) {
      const emit = (event: NewMachineEvent) => void events.push(event)
      const jobs = createJobService({
        store: await (openStore ?? (() => openFileJobStore(directory)))(),
        makePlan: async () => planWith(proof),
        emit,
        machines: { read: async (id) => ({ id }), list: async () => [] },
        now: () => clock.ms,
        monotonic: () => clock.ms,
        reclaimEveryMs: 1_000_000,
      })
      const images = await openImageStore(join(directory, 'images'))
      const proofs = startProofs({ jobs: jobs.proving, images, lookEveryMs: 50, ...options })
      const receiveImage = createReceiveImage({ jobs, proofs, emit })
      const server: ProofServer = {
        jobs,
        images,
        proofs,
        async deliver(id, value = 1) {
          const claim = randomBytes(32).toString('base64url')
          const { status } = await jobs.claim(id, { worker: 'm1', server: 'http://s' }, claim)
          const { blobs, bytes } = makeSample([{ offsetBytes: 0, bytes: filled(0, value).bytes }], sampleConfig({ job: id }))
          for (const blob of blobs) await images.registry.files.write(digestOf(blob), [blob])
          const image = await images.receive('disk', status.imageVersion, bytes, () => jobs.mayPublish(id, 'disk', status.imageVersion, claim))
          await receiveImage(image, id, claim)
          return claim
        },
        async stop() {
          if (!servers.includes(server)) return
          servers.splice(servers.indexOf(server), 1)
          await proofs.close()
          await jobs.close()
          images.close()
        },
      }
      servers.push(server)
      return server
    },
    add: ({ jobs }, id, more = {}) => jobs.add(withJobDefaults({ id, recipe: 'r', ...more })),
    async remove() {
      for (const server of [...servers]) await server.stop()
      await rm(directory, { recursive: true })
    },
  }
}

/** Settles once `isSo` tells true. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const limit = AbortSignal.timeout(20_000)
  while (!(await isSo())) {
    if (limit.aborted) throw new Error(`expected within 20 s: ${isSo}`)
    await sleep(10)
  }
}
