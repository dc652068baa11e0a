import type { JobStore } from './job-store.ts'

/** Tags of the snapshots that jobs on the list may start from. */
export async function plannedSnapshots(store: Pick<JobStore, 'list' | 'plan'>): Promise<ReadonlySet<string>> {
  const tags = new Set<string>()
  for (const { job } of await store.list()) {
    const step = (await store.plan(job.id))?.steps.find((each) => each.kind === 'snapshot')
    if (step !== undefined) tags.add(step.tag)
  }
  return tags
}
