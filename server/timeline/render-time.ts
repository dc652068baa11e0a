/** A point on a clock that starts at 0: `0:04.2`, `12:31.0`, `1:02:03.4`. */
export function renderClock(ms: number): string {
  const tenths = Math.round(Math.max(0, ms) / 100)
  const [hours, minutes] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60]
  const seconds = `${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}.${tenths % 10}`
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`
}

/** How long something took: `0.2 s`, `38.4 s`, `4 min 10 s`, `1 h 2 min`. */
export function renderSeconds(ms: number): string {
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
