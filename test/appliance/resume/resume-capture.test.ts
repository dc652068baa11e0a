import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { planLayout } from '../../../images/layout.ts'
import type { Step } from '../../../images/plan.ts'
import { mebibyte } from '../../../images/size.ts'
import { createComponentStore, type ComponentStore } from '../../../server/components/component-store.ts'
import { createImageShelf, type ImageShelf } from '../layers/image-shelf.ts'
import { makeLoopMachine, makeSmallRootfs, type LoopMachine } from '../layers/loop-machine.ts'

/*
 * A machine loses its power while it sends its disk, and is given the same job again. Its disk is a real block device; it is not marked as scratch, so that
 * whatever writes to it but the job itself would be refused (F1).
 */

const layout = planLayout('web', 64 * mebibyte, [{ name: 'root', type: 'linux-root', filesystem: 'ext4', mount: '/', size: 'rest' }])
if ('expected' in layout) throw new Error(layout.expected)
const { diskSizeBytes } = layout

let folder: string
let components: ComponentStore
let install: Step[]
let page: Step
const tag = `_steps-${'0'.repeat(64)}`
const snapshot: Step = { kind: 'snapshot', image: 'web', tag }
const finish: Step[] = [{ kind: 'generalise' }, { kind: 'image', image: 'web' }]

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-resume-'))
  components = createComponentStore(join(folder, 'components'))
  const component = await makeSmallRootfs(components, folder, randomBytes(8 * mebibyte))
  install = [{ kind: 'partition', disk: { minSizeBytes: diskSizeBytes }, ...layout }, { kind: 'install-rootfs', component }]
  page = { kind: 'configure-file', component: await components.add('page', [Buffer.from('one')]), path: '/etc/page', mode: '0644' }
})
afterAll(() => rm(folder, { recursive: true }))

/** A machine whose disk an attempt of the job `web-1` has left in the middle of sending it, as soon as that is told of a shelf before a blob is sent. */
async function cutOff(steps: Step[], shelf: ImageShelf, isGone: (shelf: ImageShelf) => boolean): Promise<LoopMachine> {
  const machine = await makeLoopMachine(diskSizeBytes, components)
  onTestFinished(() => machine.remove())
  const dying: ImageShelf = {
    ...shelf,
    serve(version) {
      const server = shelf.serve(version)
      return {
        ...server,
        async pushBlob(...args) {
          if (isGone(shelf)) throw new Error('the power is gone')
          await server.pushBlob(...args)
        },
      }
    },
  }
  await expect(machine.perform(steps, dying, 'web-1')).rejects.toThrow('the power is gone')
  machine.isScratch = false
  return machine
}

const afterThree = ({ sent }: ImageShelf): boolean => sent.length >= 3
const place = ({ disk }: LoopMachine): Promise<string> => run('dd', [`if=${disk.file}`, 'bs=4096', 'skip=255', 'count=1', 'status=none'])
const expectEachOnce = ({ sent }: ImageShelf): void => expect(new Set(sent).size).toBe(sent.length)

test('F9 a disk that was being sent is sent on: nothing is done anew, no chunk goes twice, and the image is the disk', { timeout: 60_000 }, async () => {
  const steps = [...install, page, ...finish]
  const shelf = createImageShelf()
  const machine = await cutOff(steps, shelf, afterThree)
  expect(await place(machine)).toContain('"job":"web-1"')
  expect(await machine.perform(steps, shelf, 'web-1')).toEqual(['image'])
  expectEachOnce(shelf)
  const sent = shelf.manifest('web-1').layers
  expect(sent.length).toBeGreaterThan(8)
  expect(await place(machine)).not.toContain('web-1')
  // As if there had never been a mark.
  const whole = createImageShelf()
  await machine.captureWhole(whole, 'whole')
  expect(sent).toEqual(whole.manifest('whole').layers)
})

test('F9 what is kept of the first steps is sent on too, and the job goes on behind it', { timeout: 60_000 }, async () => {
  const steps = [...install, snapshot, page, ...finish]
  const shelf = createImageShelf()
  const machine = await cutOff(steps, shelf, afterThree)
  expect(await machine.perform(steps, shelf, 'web-1')).toEqual(['snapshot', 'configure-file', 'generalise', 'image'])
  expectEachOnce(shelf)
  expect(await place(machine)).not.toContain('web-1')
})

test('F9 an image over what is kept is sent on, and of what is kept nothing', { timeout: 60_000 }, async () => {
  const steps = [...install, snapshot, page, ...finish]
  const shelf = createImageShelf()
  const machine = await cutOff(steps, shelf, ({ manifests }) => manifests.has(tag))
  expect(await machine.perform(steps, shelf, 'web-1')).toEqual(['image'])
  expectEachOnce(shelf)
})

test('F1 a disk of another job or plan, or one that was used since, holds data like any other', { timeout: 60_000 }, async () => {
  const steps = [...install, ...finish]
  const shelf = createImageShelf()
  const machine = await cutOff(steps, shelf, afterThree)
  const { file, folder, device } = machine.disk
  const left = await run('sha256sum', [file])
  const refusal = 'is not marked as scratch for this machine'
  await expect(machine.perform(steps, shelf, 'web-2')).rejects.toThrow(refusal)
  await expect(machine.perform([...install, page, ...finish], shelf, 'web-1')).rejects.toThrow(refusal)
  expect(await run('sha256sum', [file])).toBe(left)

  const mounted = join(folder, 'mounted')
  await mkdir(mounted)
  await run('mount', [`${device}p1`, mounted])
  await run('umount', [mounted])
  const used = await run('sha256sum', [file])
  await expect(machine.perform(steps, shelf, 'web-1')).rejects.toThrow(refusal)
  expect(await run('sha256sum', [file])).toBe(used)
})
