import { createHash } from 'node:crypto'
import type { Step } from './plan.ts'

/** Raised when a worker of the same appliance would make something else of the same steps, or keep it in another form. */
const keyVersion = 1

/** What beside the steps themselves decides what comes of them. */
export interface SnapshotFacts {
  /** Digest of the appliance that performs them: the worker, its kernel and its programs. */
  appliance: string
  /** Digest of the programs that only a job needs. */
  tools: string
  /** Digests of the signed indexes that apt would go by now; they change whenever anything in the archive does. Empty when no step asks apt. */
  releases: readonly string[]
}

/**
 * The tag under which the result of the first steps of a plan is kept, for example `_steps-3f9a…`: the same for the same steps, components, packages and
 * tools, another when any of them changes. On which disk they are performed makes no difference. No version is called so: it is no id of a job.
 */
export function snapshotTag(steps: readonly Step[], facts: SnapshotFacts): string {
  const about = steps.map((step) => ('disk' in step ? { ...step, disk: undefined } : step))
  return `_steps-${createHash('sha256').update(JSON.stringify([keyVersion, about, facts.appliance, facts.tools, facts.releases])).digest('hex')}`
}

export const snapshotTagPattern = '^_steps-[0-9a-f]{64}$'

export const isSnapshotTag = (tag: string): boolean => new RegExp(snapshotTagPattern).test(tag)
