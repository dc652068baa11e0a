import { randomBytes } from 'node:crypto'
import type { Work } from './job-plans.ts'

/**
 * A new job's identifier from what it does and the moment: `debian-12-20261123-211504-7f3a` for a recipe, which is also the image's version, and
 * `deploy-debian-12-20261123-211504-7f3a`.
 */
export function createJobId({ recipe, deploy }: Work, now: Date = new Date()): string {
  const name = deploy === undefined ? recipe : `deploy-${deploy.image}`
  const [day = '', time = ''] = now.toISOString().replaceAll(/[-:]/g, '').split(/[T.]/)
  return `${name}-${day}-${time}-${randomBytes(2).toString('hex')}`
}
