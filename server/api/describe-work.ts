import type { JobEntry } from './job.ts'

/** What a job does, in a few words: the name of its recipe, or `deploy web:web-1`. */
export const describeWork = ({ recipe, deploy }: Pick<JobEntry, 'recipe' | 'deploy'>): string =>
  deploy === undefined ? (recipe ?? '') : `deploy ${deploy.image}${deploy.version === undefined ? '' : `:${deploy.version}`}`
