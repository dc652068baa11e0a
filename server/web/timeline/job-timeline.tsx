import { useEffect, useState } from 'preact/hooks'
import type { MachineEvent } from '../../api/event.ts'
import { askJson } from '../state/ask.ts'
import { messageOf } from '../state/notices.ts'
import { eventsOfJob } from './events-of-job.ts'
import { spansOf, type Picture } from './spans-of.ts'
import { TimelinePicture } from './timeline-picture.tsx'

export interface JobTimelineProps {
  job: string
  /** Who performs or performed it last. */
  machine: string
  isUnderWay: boolean
  /** Another text: something has happened since. */
  version: string
}

/** Hops and steps of a job as a picture: where the time went. */
export function JobTimeline({ job, machine, isUnderWay, version }: JobTimelineProps) {
  const [picture, setPicture] = useState<Picture | string | undefined>(undefined)
  useEffect(() => {
    const stop = new AbortController()
    askJson<{ events: MachineEvent[] }>(`/machines/${encodeURIComponent(machine)}/timeline`, { signal: stop.signal })
      .then(({ events }) => setPicture(spansOf(eventsOfJob(events, job))))
      .catch((error: unknown) => stop.signal.aborted || setPicture(messageOf(error)))
    return () => stop.abort()
  }, [job, machine, version])
  if (picture === undefined) return <p class="muted">Asking…</p>
  if (typeof picture === 'string') return <p class="problem">{picture}</p>
  if (picture.spans.length === 0) return <p class="muted">Nothing of it is kept any more.</p>
  return <TimelinePicture of={picture} isUnderWay={isUnderWay} />
}
