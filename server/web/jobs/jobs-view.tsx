import { useState } from 'preact/hooks'
import { EmptyState } from '../parts/empty-state.tsx'
import { isLoaded, jobOrder, listProblems } from '../state/overview-store.ts'
import { goTo, subject } from '../state/route.ts'
import { mayChange } from '../state/session.ts'
import { count } from '../text.ts'
import { AddJobDialog } from './add-job-dialog.tsx'
import { JobGrid } from './job-grid.tsx'
import { JobPanel } from './job-panel.tsx'
import { PerformedList } from './performed-list.tsx'
import { shownState, states, tally, words } from './shown-jobs.ts'

/** The list in the order in which jobs are taken (B4, B6). */
export function JobsView() {
  const [isAdding, setAdding] = useState(false)
  const id = subject.value
  const [showsPerformed, setShowsPerformed] = useState(false)
  return (
    <div class={`view jobs ${id === undefined ? '' : 'with-panel'}`}>
      <h1 class="sr">Jobs</h1>
      <div class="list">
        <div class="head">
          <Filters showsPerformed={showsPerformed} onPerformed={setShowsPerformed} />
          <label class="search">
            <span class="sr">Find jobs</span>
            <input type="search" placeholder="Find: job, recipe, machine" value={words.value} onInput={(event) => (words.value = event.currentTarget.value)} />
          </label>
          {mayChange.value ? (
            <button type="button" class="primary" onClick={() => setAdding(true)}>
              Add a job
            </button>
          ) : null}
        </div>
        {listProblems.value.length === 0 ? null : (
          <div class="failure" role="alert">
            <p class="why">jobs.json on the disk is broken; the last good list stays in force.</p>
            <p>{listProblems.value.join('; ')}</p>
          </div>
        )}
        {showsPerformed ? <PerformedList /> : isLoaded.value && jobOrder.value.length === 0 ? <NoJobs /> : <JobGrid />}
      </div>
      {id === undefined ? null : <JobPanel key={id} id={id} onClose={() => goTo('jobs')} />}
      {isAdding ? <AddJobDialog onClose={() => setAdding(false)} /> : null}
    </div>
  )
}

function Filters({ showsPerformed, onPerformed }: { showsPerformed: boolean; onPerformed: (shows: boolean) => void }) {
  const show = (state: typeof shownState.value): void => {
    onPerformed(false)
    shownState.value = state
  }
  return (
    <div class="filters" role="group" aria-label="Which jobs are shown">
      <button type="button" class="quiet" aria-pressed={!showsPerformed && shownState.value === 'all'} onClick={() => show('all')}>
        all <small>{count(jobOrder.value.length)}</small>
      </button>
      {states.map((state) => (
        <button key={state} type="button" class={`quiet ${state}`} aria-pressed={!showsPerformed && shownState.value === state} onClick={() => show(state)}>
          {state} <small>{count(tally.value.get(state)!)}</small>
        </button>
      ))}
      <button type="button" class="quiet" aria-pressed={showsPerformed} onClick={() => onPerformed(true)}>
        performed
      </button>
    </div>
  )
}

const NoJobs = () => (
  <EmptyState title="The list is empty">
    <p>
      <b>Add a job</b> from a recipe: the next machine that asks takes it. In the shell: <code>ingot job add debian-12</code>
    </p>
    <p>
      Lists can write themselves, when a recipe changes or on a schedule: see <code>lists:</code> in <code>ingot.yaml</code>.
    </p>
  </EmptyState>
)
