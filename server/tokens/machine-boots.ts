import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { removeFile, replaceFile } from '../durable-file.ts'
import { ifMissing } from '../if-missing.ts'

/** The boot of a machine that was given a credential last. */
export interface LatestBoot {
  /** Rises from boot to boot, whichever way the clock is set: milliseconds since 1970, or one more than that of the boot before. */
  boot: number
  /** When its ticket was exchanged. */
  at: string
}

/** Tells boots of a machine apart, so that what an earlier one was given ends with the next. */
export interface MachineBoots {
  /** The number of a boot that begins now. */
  next(machine: string): Promise<number>
  /** The ticket of this boot is exchanged; returns false when that of a later one was. */
  begin(machine: string, boot: number): Promise<boolean>
  latest(machine: string): Promise<LatestBoot | undefined>
  /** Takes away those that began before a moment, in milliseconds since 1970: nothing that an earlier boot was given is good any more. */
  sweep(beforeMs: number): Promise<void>
}

/** Keeps a file for each machine in a folder, which need not be there yet. `now` is the clock, in milliseconds since 1970. */
export function openMachineBoots(folder: string, now: () => number): MachineBoots {
  const pathOf = (machine: string) => join(folder, `${machine}.json`)
  const latest = async (machine: string): Promise<LatestBoot | undefined> => {
    const text = await readFile(pathOf(machine), 'utf8').catch(ifMissing)
    return text === undefined ? undefined : (JSON.parse(text) as LatestBoot)
  }
  let lastNumber = 0
  // One exchange after the other, so that of two at once the later boot stands.
  let turn: Promise<unknown> = Promise.resolve()

  return {
    async next(machine) {
      const before = (await latest(machine))?.boot ?? 0
      return (lastNumber = Math.max(now(), before + 1, lastNumber + 1))
    },
    begin(machine, boot) {
      const begun = turn.then(async () => {
        if (boot < ((await latest(machine))?.boot ?? 0)) return false
        await replaceFile(pathOf(machine), `${JSON.stringify({ boot, at: new Date(now()).toISOString() } satisfies LatestBoot)}\n`, { mode: 0o600 })
        return true
      })
      turn = begun.catch(() => {})
      return begun
    },
    latest,
    async sweep(beforeMs) {
      const names = (await readdir(folder).catch(ifMissing)) ?? []
      for (const name of names.filter((each) => each.endsWith('.json'))) {
        const found = await latest(name.slice(0, -'.json'.length))
        if (found !== undefined && Date.parse(found.at) < beforeMs) await removeFile(join(folder, name))
      }
    },
  }
}
