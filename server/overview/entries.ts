/** Things by id. */
export type Entries<Value> = ReadonlyMap<string, Value>

/** What is new or differs, the ids of what is gone, and how all stands now. */
export function diffEntries<Value extends { id: string }>(before: Entries<Value>, values: readonly Value[], isSame: (one: Value, other: Value) => boolean): { entries: Entries<Value>; set: Value[]; gone: string[] } {
  const entries = new Map<string, Value>()
  const set: Value[] = []
  for (const value of values) {
    const known = before.get(value.id)
    const same = known !== undefined && isSame(known, value)
    entries.set(value.id, same ? known : value)
    if (!same) set.push(value)
  }
  return { entries, set, gone: [...before.keys()].filter((id) => !entries.has(id)) }
}

/** Whether two things have the same fields with the same values; an object in a field counts as the same only when it is the very same. */
export function isShallowlySame(one: object, other: object): boolean {
  const keys = Object.keys(one)
  return keys.length === Object.keys(other).length && keys.every((key) => (one as Record<string, unknown>)[key] === (other as Record<string, unknown>)[key])
}
