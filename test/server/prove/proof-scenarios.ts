import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { IngotError } from '../../../server/errors.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import { readProof } from '../../../server/prove/attach-proof.ts'
import { Unproven } from '../../../server/prove/prove.ts'
import { heldProof, openProofRack, provenOf, until, type ProofRack, type ProofServer } from './proof-rack.ts'

interface StoreHome {
  /** Another server on the same list. */
  open(): Promise<JobStore>
}

const never = () => Promise.reject(new Error('expected no proof'))
const good = async (image: Parameters<typeof provenOf>[0]) => provenOf(image)
const noLogin = new Unproven({ message: 'a copy on BIOS stopped: no login prompt on the serial console within 60 s of power-on', lastLines: ['GRUB loading.', 'error: no such partition.'] })

const stateOf = async ({ jobs }: ProofServer, id: string): Promise<string> => {
  const { job, end } = await jobs.show(id)
  return end ?? ('state' in job ? job.state : '')
}
const becomes = (server: ProofServer, id: string, state: string) => until(async () => (await stateOf(server, id)) === state)
const hopsOf = ({ events }: ProofRack) => events.map(({ hop }) => hop).filter((hop) => hop !== 'proof')

/** Nothing of any version shows under the name. */
async function expectInvisible({ images }: ProofServer): Promise<void> {
  expect(await images.list()).toEqual([])
  expect(await images.registry.tags('disk')).toEqual([])
  await expect(images.resolve('disk')).rejects.toMatchObject({ code: 'image-unknown' })
  await expect(images.resolve('disk', 'a')).rejects.toMatchObject({ code: 'image-unknown' })
}

/** The way of an image from received to visible, on any list. Without `makeHome` the list is files of the rack. */
export function describeProofs(name: string, makeHome?: () => Promise<StoreHome>): void {
  describe(`proof before publish, the list in ${name}`, () => {
    let rack: ProofRack
    beforeEach(async () => {
      const home = await makeHome?.()
      rack = await openProofRack(home?.open)
    })
    afterEach(() => rack.remove())

    test('F3 an image is visible only once it is proven, with its record and what was attested; meanwhile the worker is free and its clocks stand still', async () => {
      const { prove, begun } = heldProof()
      const attested: unknown[] = []
      const server = await rack.serve({ prove, attest: async (image) => void attested.push({ proof: (await readProof(server.images.registry, image))?.proof, visible: await server.images.list() }) })
      await rack.add(server, 'a', { timeLimitSeconds: 60, silenceLimitSeconds: 10 })
      const claim = await server.deliver('a')
      await until(() => begun.length === 1)
      await until(async () => (await server.jobs.status('a')).progress?.detail === 'BIOS: waits for the login prompt')
      expect(await server.jobs.list()).toMatchObject([{ id: 'a', state: 'proving', progress: { stepIndex: 0, stepCount: 2, step: 'proof' } }])
      rack.clock.ms += 3_600_000
      await server.jobs.reclaim()
      expect(await stateOf(server, 'a')).toBe('proving')
      await expectInvisible(server)
      await expect(server.jobs.report('a', {}, claim)).rejects.toMatchObject({ status: 410 })
      await expect(server.jobs.assign('a', 'm2')).rejects.toMatchObject({ status: 409 })
      await expect(server.jobs.retry('a')).rejects.toThrow('being proven')

      begun[0]!.end('good')
      await becomes(server, 'a', 'performed')
      const image = await server.images.resolve('disk')
      expect(image.version).toBe('a')
      expect(await readProof(server.images.registry, image)).toEqual(provenOf(image).record)
      const [record] = await server.images.registry.referrers('disk', image.digest)
      expect(record).toMatchObject({ artifactType: 'application/vnd.dev.ingot.proof.v1+json', subject: image.digest })
      expect(attested).toEqual([{ proof: 'booted', visible: [] }])
      expect(await server.jobs.status('a')).toMatchObject({ state: 'performed', imageDigest: image.digest })
      await expect.poll(() => hopsOf(rack)).toEqual(['claim', 'image', 'performed'])
    })

    test('F2 an image that does not prove good is never visible, and the attempt is lost telling why', async () => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove })
      await rack.add(server, 'a', { maxAttempts: 2 })
      await server.deliver('a')
      await until(() => begun.length === 1)
      begun[0]!.end(noLogin)
      await becomes(server, 'a', 'waiting')
      await expectInvisible(server)
      expect((await server.jobs.show('a')).attempts).toMatchObject([{ attempt: 1, worker: 'm1', loss: 'unproven', failure: noLogin.failure }])
      expect(rack.events.at(-1)).toMatchObject({ hop: 'lost', loss: 'unproven', failure: { step: 'proof' } })

      rack.clock.ms += 60_000
      await server.deliver('a', 2)
      await until(() => begun.length === 2)
      begun[1]!.end(noLogin)
      await becomes(server, 'a', 'failed')
      await expectInvisible(server)
      expect((await server.jobs.status('a')).failure).toEqual({ ...noLogin.failure, message: `${noLogin.failure.message}; attempt 2 of 2` })
    })

    test.each(['cancel', 'remove'] as const)('%s ends the proof, and nothing becomes visible', async (act) => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove })
      await rack.add(server, 'a')
      await server.deliver('a')
      await until(() => begun.length === 1)
      await server.jobs[act]('a')
      await until(() => begun[0]!.signal.aborted)
      expect(await stateOf(server, 'a')).toBe(act === 'cancel' ? 'cancelled' : 'removed')
      expect(rack.events.at(-1)).toMatchObject({ hop: 'lost', loss: 'cancelled' })
      await server.proofs.close()
      await expectInvisible(server)
    })

    test('a proof that ends in the moment of a cancellation publishes nothing', async () => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove, attest: async () => void (await server.jobs.cancel('a')) })
      await rack.add(server, 'a')
      await server.deliver('a')
      await until(() => begun.length === 1)
      begun[0]!.end('good')
      await becomes(server, 'a', 'cancelled')
      await server.proofs.close()
      await expectInvisible(server)
    })

    test('a server that stops in the middle of a proof takes it up again when it is back', async () => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove })
      await rack.add(server, 'a')
      await server.deliver('a')
      await until(() => begun.length === 1)
      await server.stop()
      expect(begun[0]!.signal.aborted).toBe(true)
      const again = await rack.serve({ prove: good })
      await becomes(again, 'a', 'performed')
      expect((await again.images.list()).map(({ version }) => version)).toEqual(['a'])
    })

    test('a server that was killed between the image becoming visible and the end of its job only ends the job', async () => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove })
      await rack.add(server, 'a')
      await server.deliver('a')
      await until(() => begun.length === 1)
      const { digest } = begun[0]!.image
      await server.images.makeVisible('disk', 'a', digest)
      await server.stop()
      const again = await rack.serve({ prove: never })
      await becomes(again, 'a', 'performed')
      expect(await again.jobs.status('a')).toMatchObject({ imageDigest: digest })
    })

    test('of two servers on one list exactly one proves each image', async () => {
      const proven: string[] = []
      const prove = async (image: Parameters<typeof provenOf>[0]) => {
        proven.push(image.version)
        await new Promise((resolve) => setTimeout(resolve, 120))
        return provenOf(image)
      }
      const [one, other] = [await rack.serve({ prove, atOnce: 4 }), await rack.serve({ prove, atOnce: 4 })]
      for (const [index, id] of ['a', 'b', 'c', 'd'].entries()) {
        await rack.add(one, id)
        await until(async () => (await other.jobs.list()).some((job) => job.id === id && job.state === 'available'))
        await (index % 2 === 0 ? one : other).deliver(id, index + 1)
      }
      for (const id of ['a', 'b', 'c', 'd']) await becomes(other, id, 'performed')
      expect(proven.toSorted()).toEqual(['a', 'b', 'c', 'd'])
      expect((await one.images.list()).map(({ version }) => version).toSorted()).toEqual(['a', 'b', 'c', 'd'])
    })
  })
}

/** What is the same whatever keeps the list. */
export function describeProofRules(): void {
  describe('the queue of proofs, and what a proof may meet', () => {
    let rack: ProofRack
    beforeEach(async () => {
      rack = await openProofRack()
    })
    afterEach(() => rack.remove())

    test('one proof at a time unless told otherwise; the others wait for their turn, in the order of the list', async () => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove })
      for (const [index, id] of ['a', 'b'].entries()) {
        await rack.add(server, id)
        await server.deliver(id, index + 1)
      }
      await until(() => begun.length === 1)
      expect((await server.jobs.status('b')).progress?.detail).toBe('waits for its turn')
      begun[0]!.end('good')
      await until(() => begun.length === 2)
      expect(begun.map(({ image }) => image.version)).toEqual(['a', 'b'])
      begun[1]!.end('good')
      await becomes(server, 'b', 'performed')
    })

    test('a host that cannot prove loses nothing: the job says what is missing, and goes on with the next server that can', async () => {
      const lacking = new IngotError('host-lacks', 'this host lacks qemu-system-x86_64, which the proof needs: apt-get install --no-install-recommends qemu-system-x86')
      const server = await rack.serve({ prove: () => Promise.reject(lacking) })
      await rack.add(server, 'a')
      await server.deliver('a')
      await until(async () => (await server.jobs.status('a')).progress?.detail === lacking.message)
      expect(await stateOf(server, 'a')).toBe('proving')
      expect(rack.events.at(-1)).toMatchObject({ hop: 'proof', event: { kind: 'waiting', for: lacking.message } })
      await expectInvisible(server)
      await server.stop()
      const again = await rack.serve({ prove: good })
      await becomes(again, 'a', 'performed')
    })

    test('what cannot be vouched for does not become visible, and is tried again', async () => {
      let fails = true
      const attest = async () => {
        if (fails) throw new IngotError('storage-full', 'no space is left')
      }
      const server = await rack.serve({ prove: good, attest, tryAgainMs: 100 })
      await rack.add(server, 'a')
      await server.deliver('a')
      await until(async () => (await server.jobs.status('a')).progress?.detail === 'no space is left')
      await expectInvisible(server)
      fails = false
      await becomes(server, 'a', 'performed')
    })

    test('proof: none is visible when the worker is answered, and says so', async () => {
      const server = await rack.serve({ prove: never }, 'none')
      await rack.add(server, 'a')
      await server.deliver('a')
      expect(await stateOf(server, 'a')).toBe('performed')
      const image = await server.images.resolve('disk', 'a')
      expect(await readProof(server.images.registry, image)).toEqual({ version: 1, image: 'disk', digest: image.digest, proof: 'none' })
      expect(hopsOf(rack)).toEqual(['claim', 'image', 'performed'])
    })

    test('a worker whose answer to the manifest was lost is answered again, before the proof is done and after', async () => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove })
      await rack.add(server, 'a')
      const claim = await server.deliver('a')
      await until(() => begun.length === 1)
      const { digest } = begun[0]!.image
      await server.jobs.mayPublish('a', 'disk', 'a', claim)
      await expect(server.jobs.mayPublish('a', 'disk', undefined, claim)).rejects.toMatchObject({ status: 410 })
      expect(await server.jobs.received('a', digest, claim)).toMatchObject({ isNew: false, status: { state: 'proving' } })
      await expect(server.jobs.received('a', `sha256:${'2'.repeat(64)}`, claim)).rejects.toMatchObject({ status: 410 })
      begun[0]!.end('good')
      await becomes(server, 'a', 'performed')
      await server.jobs.mayPublish('a', 'disk', 'a', claim)
      expect(await server.jobs.received('a', digest, claim)).toMatchObject({ isNew: false, status: { state: 'performed' } })
      expect(begun).toHaveLength(1)
    })

    test('an image that is gone from the store when its turn comes is lost, not waited for', async () => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove })
      for (const [index, id] of ['a', 'b'].entries()) {
        await rack.add(server, id)
        await server.deliver(id, index + 1)
      }
      const { imageDigest } = await server.jobs.status('b')
      await server.images.registry.remove('disk', imageDigest!)
      await until(() => begun.length === 1)
      begun[0]!.end('good')
      await becomes(server, 'b', 'waiting')
      expect((await server.jobs.show('b')).attempts).toMatchObject([{ loss: 'unproven', failure: { message: `the image disk@${imageDigest} is not in the store any more` } }])
    })

    test('an image that another server of the list has is left to that one, and holds up nothing here', async () => {
      const { prove, begun } = heldProof()
      const server = await rack.serve({ prove, mayBeElsewhere: true })
      await rack.add(server, 'a')
      await server.deliver('a')
      await until(() => begun.length === 1)
      await server.images.registry.remove('disk', begun[0]!.image.digest)
      await server.stop()
      const other = await rack.serve({ prove: good, mayBeElsewhere: true })
      await rack.add(other, 'b')
      await other.deliver('b', 2)
      await becomes(other, 'b', 'performed')
      expect(await stateOf(other, 'a')).toBe('proving')
    })

    test('what another server proves for long holds up nothing here', async () => {
      const { prove, begun } = heldProof()
      const [one, other] = [await rack.serve({ prove }), await rack.serve({ prove: good })]
      await rack.add(one, 'a')
      await one.deliver('a')
      await until(() => begun.length === 1)
      await rack.add(other, 'b')
      await other.deliver('b', 2)
      await becomes(other, 'b', 'performed')
      expect(await stateOf(other, 'a')).toBe('proving')
    })

    test('one version twice: the second image of a job that was taken up again never replaces the first', async () => {
      const server = await rack.serve({ prove: good })
      await rack.add(server, 'a')
      await server.deliver('a')
      await becomes(server, 'a', 'performed')
      await rack.add(server, 'a')
      await server.deliver('a', 2)
      await until(async () => (await server.images.list()).length === 2)
      expect((await server.images.list()).map(({ version }) => version)).toEqual(['a', 'a_2'])
    })
  })
}

