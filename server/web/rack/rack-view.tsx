import { computed, signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { MachineCard as Card, MachineState } from '../../api/overview.ts'
import { EmptyState } from '../parts/empty-state.tsx'
import { isLoaded, machines } from '../state/overview-store.ts'
import { goTo, subject } from '../state/route.ts'
import { count } from '../text.ts'
import { hardwareLine } from './hardware.ts'
import { MachineCard } from './machine-card.tsx'
import { MachinePanel } from './machine-panel.tsx'

/** Groups of machines from what wants a person to what does not. */
const groups: readonly (readonly [MachineState, string])[] = [
  ['asking', 'Asking to be admitted'],
  ['stopped', 'Stopped'],
  ['working', 'Working'],
  ['booting', 'Booting'],
  ['waiting', 'Waiting for a job'],
  ['settled', 'On their own disk'],
  ['unseen', 'Not heard of lately'],
  ['refused', 'Refused'],
]

/** That there are none of these is worth a word too. */
const alwaysCounted: readonly MachineState[] = ['stopped', 'working', 'booting', 'waiting']

const filter = signal('')

const fits = (card: Card, words: readonly string[]): boolean => {
  const text = [card.id, card.job ?? '', card.address ?? '', card.system?.image ?? '', hardwareLine(card), ...Object.entries(card.labels).map((each) => each.join('='))].join(' ').toLowerCase()
  return words.every((word) => text.includes(word))
}

const grouped = computed(() => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean)
  const found = new Map<MachineState, string[]>(groups.map(([state]) => [state, []]))
  for (const card of machines.all()) if (fits(card, words)) found.get(card.state)!.push(card.id)
  for (const ids of found.values()) ids.sort()
  return found
})

/** The ids of a group as text, so that a group is drawn anew only when another machine is in it. */
const idsByState = new Map(groups.map(([state]) => [state, computed(() => grouped.value.get(state)!.join(' '))]))
const idsOf = (state: MachineState): string => idsByState.get(state)!.value

/** So many cards are drawn at first, and more with each frame: what is in sight stands at once. */
const [firstCards, moreCards] = [60, 80]
const drawn = signal(firstCards)

function drawMore(): void {
  if (drawn.value >= machines.all().length) return
  drawn.value += moreCards
  requestAnimationFrame(drawMore)
}

/** Every machine as a card (F8). */
export function RackView() {
  const id = subject.value
  useEffect(() => {
    if (isLoaded.value) requestAnimationFrame(drawMore)
  }, [isLoaded.value, machines.all().length])
  return (
    <div class={`view rack ${id === undefined ? '' : 'with-panel'}`}>
      <h1 class="sr">Rack</h1>
      <div class="scroll">
        {machines.all().length === 0 ? null : <RackHead />}
        {isLoaded.value && machines.all().length === 0 ? <NoMachines /> : <Groups />}
      </div>
      {id === undefined ? null : <MachinePanel id={id} onClose={() => goTo('rack')} />}
    </div>
  )
}

function RackHead() {
  return (
    <div class="head">
      <ul class="tally">
        {groups.map(([state, title]) => {
          const size = sizeOf(idsOf(state))
          return size === 0 && !alwaysCounted.includes(state) ? null : (
            <li key={state} class={`${state} ${size === 0 ? 'none' : ''}`}>
              <b>{count(size)}</b> {title.toLowerCase()}
            </li>
          )
        })}
      </ul>
      <label class="search">
        <span class="sr">Find machines</span>
        <input type="search" placeholder="Find: address, label, job, model" value={filter.value} onInput={(event) => (filter.value = event.currentTarget.value)} />
      </label>
    </div>
  )
}

const sizeOf = (ids: string): number => (ids === '' ? 0 : ids.split(' ').length)

function Groups() {
  let before = 0
  return groups.map(([state, title]) => {
    const most = Math.max(0, drawn.value - before)
    before += sizeOf(idsOf(state))
    return <Group key={state} state={state} title={title} most={most} />
  })
}

function Group({ state, title, most }: { state: MachineState; title: string; most: number }) {
  const ids = idsOf(state)
  if (ids === '' || most === 0) return null
  return (
    <section class={`group ${state}`} aria-labelledby={`group-${state}`}>
      <h2 id={`group-${state}`}>
        {title} <small>{count(sizeOf(ids))}</small>
      </h2>
      <ul class="cards">
        {ids.split(' ').slice(0, most).map((id) => (
          <MachineCard key={id} id={id} />
        ))}
      </ul>
    </section>
  )
}

const NoMachines = () => (
  <EmptyState title="No machine was heard of yet">
    <p>
      Power on a machine that boots from the network: PXE in BIOS, or UEFI. It appears here with its first DHCP question. Once it is admitted it goes to the
      worker by itself, and waits there for a job.
    </p>
    <p>
      Nothing appears? The first computer answers only on the interface that <code>netboot.interface</code> names in <code>ingot.yaml</code>.
    </p>
  </EmptyState>
)
