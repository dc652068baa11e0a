import type { MachineEvent } from '../api/event.ts'
import type { EndedJob, JobDetails } from '../api/history.ts'
import type { Job, ListedJob } from '../api/job.ts'
import type { Status } from '../api/status.ts'
import { nameAtMaster } from './job-name.ts'

/** What a first computer says of its jobs, in the names that they have at the master. */
export interface Rename {
  job<Each extends Job | EndedJob['job']>(job: Each): Each
  listed(job: ListedJob): ListedJob
  status(status: Status): Status
  details(details: JobDetails): JobDetails
  ended(job: EndedJob): EndedJob
  event(event: MachineEvent): MachineEvent
  /** The path of a job, or of a version of an image, in a `Location` header; any other stays as it is. */
  location(path: string): string
}

/** Names things of one first computer, for example `web-1` as `hall-a.web-1`. Where a job comes from is kept: `inner` behind `outer` is `outer.inner`. */
export function renameFor(firstComputer: string): Rename {
  const named = (name: string) => nameAtMaster(firstComputer, name)
  // A digest is the same everywhere.
  const version = (text: string) => (text.startsWith('sha256:') ? text : named(text))
  const rename: Rename = {
    job: (job) => ({ ...job, id: named(job.id), ...(job.deploy?.version === undefined ? {} : { deploy: { ...job.deploy, version: version(job.deploy.version) } }) }),
    listed: (job) => ({ ...rename.job(job), origin: job.origin === undefined ? firstComputer : named(job.origin) }),
    status: (status) => ({ ...status, job: named(status.job), imageVersion: named(status.imageVersion) }),
    details: ({ job, status, ...rest }) => ({
      ...rest,
      job: 'state' in job ? rename.listed(job) : rename.job(job),
      ...(status === undefined ? {} : { status: rename.status(status) }),
    }),
    ended: ({ job, status, ...rest }) => ({ ...rest, job: rename.job(job), ...(status === undefined ? {} : { status: rename.status(status) }) }),
    event: (event) => ({
      ...event,
      ...('job' in event ? { job: named(event.job) } : {}),
      ...(event.hop === 'image' ? { version: named(event.version) } : {}),
    }),
    location: (path) => path.replace(/^\/((jobs|plans|status|logs)\/(?=[^/]+$)|images\/[^/]+\/(?=[^/]+\/[^/]+$))/, (folder) => `${folder}${firstComputer}.`),
  }
  return rename
}
