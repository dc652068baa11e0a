import type { MachineRecord } from '../machine-store.ts'

/**
 * What all first computers know of the machines, by id: the newest inventory, every mark, what was deployed and whether it is admitted, which only the one
 * knows that the machine boots from, and of a label that differs the one of the first list.
 */
export function mergeMachines(lists: readonly (readonly MachineRecord[])[]): MachineRecord[] {
  const merged = new Map<string, MachineRecord>()
  for (const record of lists.flat()) {
    const before = merged.get(record.id)
    if (before === undefined) {
      merged.set(record.id, record)
      continue
    }
    const newest = (record.seenAt ?? '') > (before.seenAt ?? '') ? record : before
    const system = before.system ?? record.system
    const admission = [before, record].map((each) => each.admission).find((each) => each !== undefined && each.state !== 'elsewhere') ?? newest.admission
    merged.set(record.id, {
      ...newest,
      ...(system === undefined ? {} : { system }),
      ...(admission === undefined ? {} : { admission }),
      scratchSerials: [...new Set([...before.scratchSerials, ...record.scratchSerials])],
      labels: { ...record.labels, ...before.labels },
    })
  }
  return [...merged.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}
