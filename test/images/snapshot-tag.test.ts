import { expect, test } from 'vitest'
import { imageVersionPattern } from '../../server/api/image.ts'
import { jobIdSchema } from '../../server/api/job.ts'
import { findFaults } from '../../images/parse-document.ts'
import type { Step } from '../../images/plan.ts'
import { isSnapshotTag, snapshotTag, type SnapshotFacts } from '../../images/snapshot-tag.ts'

const component = (name: string) => ({ name, digest: `sha256:${name.charCodeAt(0).toString(16).padStart(64, '0')}`, sizeBytes: 1 })
const partition = (more: object = {}): Step => ({ kind: 'partition', disk: {}, diskSizeBytes: 4 * 1024 ** 3, diskGuid: 'd', partitions: [], ...more })
const steps: readonly Step[] = [partition(), { kind: 'install-rootfs', component: component('rootfs') }, { kind: 'install-packages', packages: ['nginx'] }]
const facts: SnapshotFacts = { appliance: 'sha256:a', tools: 'sha256:b', releases: ['sha256:c'] }
const tag = snapshotTag(steps, facts)

test('the same steps, components, packages and tools have one tag, whichever disk they are for', () => {
  expect(snapshotTag(structuredClone(steps), structuredClone(facts))).toBe(tag)
  expect(snapshotTag([partition({ disk: { serial: 'S1', minSizeBytes: 1 } }), ...steps.slice(1)], facts)).toBe(tag)
})

test.each<[what: string, steps: readonly Step[], facts: Partial<SnapshotFacts>]>([
  ['the layout of the disk', [partition({ diskSizeBytes: 5 * 1024 ** 3 }), ...steps.slice(1)], {}],
  ['the root filesystem', [steps[0]!, { kind: 'install-rootfs', component: component('other') }, steps[2]!], {}],
  ['a package more', [...steps.slice(0, 2), { kind: 'install-packages', packages: ['nginx', 'curl'] }], {}],
  ['the order of the steps', steps.toReversed(), {}],
  ['what the archive publishes', steps, { releases: ['sha256:d'] }],
  ['the appliance', steps, { appliance: 'sha256:d' }],
  ['the tools', steps, { tools: 'sha256:d' }],
])('another tag comes with a change of %s', (_, changed, more) => {
  expect(snapshotTag(changed, { ...facts, ...more })).not.toBe(tag)
})

test('a tag is one to a registry, and never the version that a job makes', () => {
  expect(isSnapshotTag(tag)).toBe(true)
  expect(tag).toMatch(new RegExp(imageVersionPattern))
  expect(findFaults(jobIdSchema, tag)).toHaveLength(1)
})
