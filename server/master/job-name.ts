import { findFaults } from '../../images/parse-document.ts'
import { jobIdSchema } from '../api/job.ts'

/*
 * A job of the first computer `hall-a` that is `web-1` there is `hall-a.web-1` at the master, so that no two are the same. The names of
 * first computers have no dots: what stands before the first dot tells where a job is, also with masters behind masters.
 */

/** What a job is called at the master, for example `hall-a.web-1`. The same holds for the versions of images, which are named after jobs. */
export const nameAtMaster = (firstComputer: string, name: string): string => `${firstComputer}.${name}`

/** Takes `hall-a.web-1` apart into `hall-a` and `web-1`; `undefined` for a name that has no first computer before it. */
export function splitName(name: string): { firstComputer: string; name: string } | undefined {
  const dot = name.indexOf('.')
  return dot <= 0 || dot === name.length - 1 ? undefined : { firstComputer: name.slice(0, dot), name: name.slice(dot + 1) }
}

/** Whether a job can be told of at the master: an id has 100 characters at most. */
export const fitsAtMaster = (firstComputer: string, id: string): boolean => findFaults(jobIdSchema, nameAtMaster(firstComputer, id)).length === 0
