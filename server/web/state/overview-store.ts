import { batch, signal, type ReadonlySignal, type Signal } from '@preact/signals'
import type { JobRow, MachineCard, OverviewChange, OverviewSnapshot } from '../../api/overview.ts'
import { applyOrder } from '../../overview/apply-order.ts'

/** Things by id, each a signal of its own, so that a change of one draws one. */
class Shelf<Value extends { id: string }> {
  readonly #signals = new Map<string, Signal<Value | undefined>>()
  /** Counts the changes of any of them. */
  readonly version = signal(0)

  of(id: string): Signal<Value | undefined> {
    let found = this.#signals.get(id)
    if (found === undefined) this.#signals.set(id, (found = signal(undefined)))
    return found
  }

  change(set: readonly Value[], gone: readonly string[]): void {
    if (set.length + gone.length === 0) return
    for (const value of set) this.of(value.id).value = value
    for (const id of gone) this.of(id).value = undefined
    this.version.value++
  }

  replace(values: readonly Value[]): void {
    const ids = new Set(values.map(({ id }) => id))
    this.change(values, this.ids().filter((id) => !ids.has(id)))
  }

  /** Of all that are there, in the order in which they came. */
  ids(): string[] {
    return [...this.#signals].flatMap(([id, { value }]) => (value === undefined ? [] : [id]))
  }

  /** All that are there now; whoever reads this is drawn anew with every change. */
  all(): Value[] {
    this.version.value
    return [...this.#signals.values()].flatMap((each) => each.peek() ?? [])
  }
}

export const machines = new Shelf<MachineCard>()
export const jobs = new Shelf<JobRow>()
const order = signal<readonly string[]>([])
const faults = signal<readonly string[]>([])
const loaded = signal(false)

/** Ids of the list, in the order in which jobs are taken. */
export const jobOrder: ReadonlySignal<readonly string[]> = order
/** What is wrong with the list as a person edited it. */
export const listProblems: ReadonlySignal<readonly string[]> = faults
/** Whether anything has come yet. */
export const isLoaded: ReadonlySignal<boolean> = loaded

export const applySnapshot = (snapshot: OverviewSnapshot): void =>
  batch(() => {
    jobs.replace(snapshot.jobs)
    machines.replace(snapshot.machines)
    order.value = snapshot.jobs.map(({ id }) => id)
    faults.value = snapshot.problems
    loaded.value = true
  })

export const applyChange = (change: OverviewChange): void =>
  batch(() => {
    jobs.change(change.jobs, change.jobsGone)
    machines.change(change.machines, change.machinesGone)
    order.value = applyOrder(order.value, change.jobsGone, change.order)
    if (change.problems !== undefined) faults.value = change.problems
  })
