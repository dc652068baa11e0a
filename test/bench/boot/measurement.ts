/** Something that a boot came to. */
export interface Mark {
  /** For people, for example `kernel fetched`. */
  name: string
  /** Milliseconds since power-on. */
  atMs: number
}

/** One boot, from power-on to what was waited for. */
export interface Measurement {
  /** In the order in which a boot comes to them. */
  marks: readonly Mark[]
  /** All that the machine received over its cable, frame headers included. */
  receivedBytes: number
}

/** The moment of one mark, in milliseconds since power-on. */
export function momentOf({ marks }: Measurement, name: string): number {
  const mark = marks.find((each) => each.name === name)
  if (mark === undefined) throw new RangeError(`no mark "${name}", only ${marks.map((each) => each.name).join(', ')}`)
  return mark.atMs
}
