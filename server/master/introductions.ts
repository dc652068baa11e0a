import type { Logger } from 'pino'
import type { MachineAnswer } from '../api/credential.ts'
import type { Inventory } from '../api/machine.ts'
import { HttpProblem } from '../http/problem.ts'
import type { MachineRecord } from '../machine-store.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { gather, type Gathered } from './gather.ts'
import { machineLists } from './machine-lists.ts'
import { mergeMachines } from './merge-machines.ts'

/** Makes the machines of this master's workers known to its first computers. What it keeps is in memory, and found again at the first computers. */
export interface Introductions {
  /** A worker told of its machine: every first computer is told, and one that is away when it is back. */
  introduce(inventory: Inventory, via: string | undefined): Promise<Gathered<MachineAnswer>>
  /** A worker asks for jobs. When this master was started anew it looks up what the worker told before; never throws. */
  recall(worker: string, via: string | undefined): Promise<void>
}

export function createIntroductions(links: readonly FirstComputerLink[], log: Logger): Introductions {
  /** Workers that asked since the start, with what they told of their machines, if anything. */
  const known = new Map<string, Inventory | undefined>()
  let lookup: Promise<Gathered<MachineRecord[]>> | undefined

  const tell = (link: FirstComputerLink, inventory: Inventory, via?: string): Promise<MachineAnswer> =>
    link.ask<MachineAnswer>(`/machines/${inventory.id}.json`, { role: 'worker', method: 'PUT', body: inventory, via })
  const tellAll = async (link: FirstComputerLink, inventories: Iterable<Inventory | undefined>): Promise<void> => {
    for (const inventory of inventories) {
      if (inventory === undefined) continue
      await tell(link, inventory).catch((error: unknown) => {
        if (!(error instanceof HttpProblem)) throw error
        log.warn({ firstComputer: link.name, machine: inventory.id, reason: error.message }, 'a first computer was not told of a machine')
      })
    }
  }
  for (const link of links) link.onReturn(() => void tellAll(link, [...known.values()]))

  /** One look for all workers that ask at the same time, as they do after a new start. */
  const lookUp = (via: string | undefined): Promise<Gathered<MachineRecord[]>> => {
    lookup ??= machineLists(links, via).finally(() => {
      lookup = undefined
    })
    return lookup
  }

  return {
    introduce(inventory, via) {
      known.set(inventory.id, inventory)
      return gather(links, (link) => tell(link, inventory, via))
    },
    async recall(worker, via) {
      if (known.has(worker)) return
      known.set(worker, undefined)
      const { answers } = await lookUp(via)
      const found = mergeMachines(answers.map(({ answer }) => answer)).find(({ id }) => id === worker)?.inventory
      // It may have told of itself meanwhile.
      if (found === undefined || known.get(worker) !== undefined) return
      known.set(worker, found)
      const untold = answers.filter(({ answer }) => answer.find(({ id }) => id === worker)?.inventory === undefined)
      await Promise.all(untold.map(({ link }) => tellAll(link, [found])))
    },
  }
}
