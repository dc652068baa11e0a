/** What is known of a machine that asks what to boot. */
export interface KnownAtBoot {
  /** The image that was deployed to it and is its system since. */
  system?: { image: string; version: string }
  /** A job on the list that was pushed to it. */
  assignedJob?: string
  /** Whether a job may be for it, or it is set to wait for one (`BootPolicy.withoutJob`). */
  hasWork: boolean
  /** Whether it may have a ticket, and so a job and secrets. */
  isAdmitted: boolean
}

export type BootChoice = { boot: 'worker' } | { boot: 'wait' } | { boot: 'local-disk'; why: string }

/**
 * Whether a machine boots the worker or its own disk. One that an image was deployed to belongs to that system: it boots its disk, however often it
 * asks (F6), until a job is pushed to it or it is released; a job that any machine may take is none for it. One without a job waits for one in the worker or boots
 * its disk, as it is set. One that is not admitted gets no ticket: it waits.
 */
export function chooseBoot({ system, assignedJob, hasWork, isAdmitted }: KnownAtBoot): BootChoice {
  if (assignedJob === undefined && system !== undefined) return { boot: 'local-disk', why: `${system.image}:${system.version} was deployed to it` }
  if (assignedJob === undefined && !hasWork) return { boot: 'local-disk', why: 'no job is for it' }
  return { boot: isAdmitted ? 'worker' : 'wait' }
}
