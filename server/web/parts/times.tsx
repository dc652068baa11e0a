import { now } from '../state/clock.ts'
import { dateTime, duration } from '../text.ts'

/** How long ago something was, running. */
export const Since = ({ time }: { time: string }) => <time dateTime={time} title={dateTime(time)}>{duration(Math.max(0, now.value - Date.parse(time)))}</time>

/** How long until something is, running; `over` once it has passed. */
export function Until({ time, over }: { time: string; over: string }) {
  const left = Date.parse(time) - now.value
  return <time dateTime={time} title={dateTime(time)}>{left <= 0 ? over : duration(left)}</time>
}
