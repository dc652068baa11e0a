/** What a credential allows: a `worker` takes jobs, a `viewer` sees all, an `operator` changes it too, an `admin` does all. */
export const roles = ['worker', 'viewer', 'operator', 'admin'] as const
export type Role = (typeof roles)[number]
