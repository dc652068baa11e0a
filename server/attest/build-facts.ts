import type { ComponentRef } from '../../images/component.ts'
import { componentsOf } from '../../images/components-of.ts'
import type { Plan } from '../../images/plan.ts'
import type { Status } from '../api/status.ts'

/** What a first computer itself knows of how an image was made, whatever the worker says in the image. */
export interface BuildFacts {
  recipe: Plan['recipe']
  job: string
  /** Which claim of the job it was, counted from 1. */
  attempt: number
  /** Identifier of the worker. */
  machine: string
  /** When it took the job; RFC 3339. */
  startedAt: string
  /** What it was given: tools, the root filesystem, files of the recipe. */
  components: readonly ComponentRef[]
  /** Digest of the manifest of its proof record, which is attached already; without one it was not proven. */
  proof?: string
  /** The image that it started from, if it did not begin with an empty disk. */
  base?: { name: string; version: string; digest: string }
}

/** The facts of a job whose image was received and proven. */
export function factsOf({ plan, status, proof }: { plan: Plan; status: Status; proof: string }): BuildFacts {
  const { job, attempt, worker, claimedAt } = status
  const from = plan.steps.find((step) => step.kind === 'start-from')
  return {
    recipe: plan.recipe,
    job,
    attempt,
    machine: worker,
    startedAt: claimedAt,
    components: componentsOf(plan),
    proof,
    ...(from === undefined ? {} : { base: { name: from.image, version: from.version, digest: from.digest } }),
  }
}
