/** Things by id, each with the text by which one that changed is told from one that did not. */
export type Entries<Value> = ReadonlyMap<string, { value: Value; text: string }>

/** What is new or differs, the ids of what is gone, and how all stands now. */
export function diffEntries<Value extends { id: string }>(before: Entries<Value>, values: readonly Value[]): { entries: Entries<Value>; set: Value[]; gone: string[] } {
  const entries = new Map<string, { value: Value; text: string }>()
  const set: Value[] = []
  for (const value of values) {
    const text = JSON.stringify(value)
    entries.set(value.id, { value, text })
    if (before.get(value.id)?.text !== text) set.push(value)
  }
  return { entries, set, gone: [...before.keys()].filter((id) => !entries.has(id)) }
}
