import prettyBytes from 'pretty-bytes'
import prettyMs from 'pretty-ms'

/** `8.2 MB`, and for disks and memory `480 GiB`. */
export const bytes = (value: number): string => prettyBytes(value)
export const binaryBytes = (value: number): string => prettyBytes(value, { binary: true, maximumFractionDigits: 1 })
export const rate = (bytesPerSecond: number): string => `${prettyBytes(bytesPerSecond)}/s`

/** `4m 10s`, `2d 3h`: two units are enough for people. */
export const duration = (ms: number): string => (ms < 1000 ? '0s' : prettyMs(ms, { unitCount: 2, secondsDecimalDigits: 0 }))
/** `8.4 s` where tenths count. */
export const exactDuration = (ms: number): string => (ms < 60_000 ? `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s` : prettyMs(ms, { unitCount: 2, secondsDecimalDigits: 0 }))

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false })
const day = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false })
export const clockTime = (time: string): string => clock.format(new Date(time))
export const dateTime = (time: string): string => day.format(new Date(time))

const whole = new Intl.NumberFormat('en')
export const count = (value: number): string => whole.format(value).replaceAll(',', '\u2009')
/** `1 job`, `10 000 jobs`. */
export const counted = (value: number, one: string, many = `${one}s`): string => `${count(value)} ${value === 1 ? one : many}`
/** `sha256:9f86d081884c`. */
export const shortDigest = (digest: string): string => digest.slice(0, 'sha256:'.length + 12)
