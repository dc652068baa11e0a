/** 1 MiB: positions and sizes on a disk are multiples of it. */
export const mebibyte = 1024 * 1024

const unitBytes: Record<string, number> = { MiB: mebibyte, GiB: 1024 * mebibyte }

/** Bytes of a size such as `512MiB` or `4GiB`; undefined when it is not one. */
export function parseSize(text: string): number | undefined {
  const match = /^([1-9][0-9]*)(MiB|GiB)$/.exec(text)
  return match === null ? undefined : Number(match[1]) * unitBytes[match[2]!]!
}

/** A size for people, with at most one decimal: `4 GiB`, `1.5 GiB`, `64 MiB`. */
export function renderSize(bytes: number): string {
  const unit = bytes >= 1024 * mebibyte ? 'GiB' : 'MiB'
  return `${Number((bytes / unitBytes[unit]!).toFixed(1))} ${unit}`
}
