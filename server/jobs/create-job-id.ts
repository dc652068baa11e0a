import { randomBytes } from 'node:crypto'

/** A new job's identifier from its recipe and the moment, for example `debian-12-20261123-211504-7f3a`: it is also the image's version. */
export function createJobId(recipe: string, now: Date = new Date()): string {
  const [day = '', time = ''] = now.toISOString().replaceAll(/[-:]/g, '').split(/[T.]/)
  return `${recipe}-${day}-${time}-${randomBytes(2).toString('hex')}`
}
