import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { withJobDefaults } from '../../../server/api/job.ts'
import { openImageStore, type ImageStore } from '../../../server/image-store/open-image-store.ts'
import { createUseOf } from '../../../server/jobs/deployed-images.ts'
import { openFileJobStore } from '../../../server/jobs/file-job-store.ts'
import { createJobService } from '../../../server/jobs/job-service.ts'
import type { JobStore } from '../../../server/jobs/job-store.ts'
import { planDeployJob } from '../../../server/jobs/plan-deploy-job.ts'
import { openMachineStore } from '../../../server/machine-store.ts'
import { filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'

const tools = { name: 'tools', digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1 }
let images: ImageStore
let store: JobStore
let jobs: ReturnType<typeof createJobService>

beforeEach(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-deploy-'))
  store = await openFileJobStore(directory)
  images = await openImageStore(join(directory, 'images'), { useOf: (version) => createUseOf(store)(version) })
  jobs = createJobService({ store, makePlan: ({ deploy }) => planDeployJob(deploy!, images, async () => tools), emit: () => {}, machines: openMachineStore(directory) })
  onTestFinished(async () => {
    images.close()
    await jobs.close()
    await rm(directory, { recursive: true })
  })
})

const publish = async (version: string) => {
  const { bytes } = await storeSample(images, [filled(0, Number(version.at(-1)))], sampleConfig(), 'web')
  return images.publish('web', version, bytes)
}
const add = (id: string, version?: string) => jobs.add(withJobDefaults({ id, deploy: { image: 'web', ...(version === undefined ? {} : { version }) } }))
const meant = async (id: string) => (await jobs.plan(id)).steps.flatMap((step) => (step.kind === 'write-image' ? [`${step.version} ${step.digest}`] : []))

test('the newest version when the job is made is the one that is deployed, whatever comes after', async () => {
  const { digest } = await publish('web-1')
  await add('a')
  await publish('web-2')
  expect(await meant('a')).toEqual([`web-1 ${digest}`])
})

test('a version is named by its name or by its digest', async () => {
  const { digest } = await publish('web-1')
  await publish('web-2')
  await add('a', 'web-1')
  await add('b', digest)
  expect([await meant('a'), await meant('b')]).toEqual([[`web-1 ${digest}`], [`web-1 ${digest}`]])
})

test('an image or a version that is not published is refused with those that are, and nothing is listed', async () => {
  await expect(add('a')).rejects.toThrow('deploy.image: expected an image that is published (there are none), got web')
  await publish('web-1')
  await expect(add('a', 'web-9')).rejects.toThrow('deploy.version: expected a version of web that is published (web-1), got web-9')
  await expect(jobs.add(withJobDefaults({ id: 'a', deploy: { image: 'wbe' } }))).rejects.toThrow('deploy.image: expected an image that is published (web), got wbe')
  expect(await jobs.list()).toEqual([])
})

test('a name needs a system that can be given one', async () => {
  await publish('web-1')
  await expect(jobs.add(withJobDefaults({ id: 'a', deploy: { image: 'web', hostname: 'x' } }))).rejects.toThrow(
    'deploy.hostname: expected nothing for web:web-1, of which it is not known where its root filesystem is',
  )
})

test('a version that a listed job deploys is not removed; it may go once the job has left the list', async () => {
  await publish('web-1')
  await publish('web-2')
  await add('a', 'web-1')
  await expect(images.remove('web', 'web-1')).rejects.toThrow('web:web-1 is in use: job a deploys it')
  await images.remove('web', 'web-2')
  await jobs.remove('a')
  await images.remove('web', 'web-1')
  expect(await images.list()).toEqual([])
})
