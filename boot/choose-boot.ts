/** What is known of a machine that asks what to boot. */
export interface KnownAtBoot {
  /** The image that was deployed to it and is its system since. */
  system?: { image: string; version: string }
  /** A job on the list that was pushed to it. */
  assignedJob?: string
  /** Whether it may have a ticket, and so a job and secrets. */
  isAdmitted: boolean
}

export type BootChoice = { boot: 'worker' } | { boot: 'wait' } | { boot: 'local-disk'; why: string }

/**
 * Whether a machine boots the worker or its own disk. One that an image was deployed to belongs to that system: it boots its disk, however often it
 * asks (F6), until a job is pushed to it or it is released; a job that any machine may take is none for it. One that is not admitted gets no ticket: it waits.
 */
export function chooseBoot({ system, assignedJob, isAdmitted }: KnownAtBoot): BootChoice {
  if (system === undefined || assignedJob !== undefined) return { boot: isAdmitted ? 'worker' : 'wait' }
  return { boot: 'local-disk', why: `${system.image}:${system.version} was deployed to it` }
}
