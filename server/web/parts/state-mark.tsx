import type { ListedState } from '../../api/job.ts'
import type { MachineState } from '../../api/overview.ts'

/** A state in words, with a sign that says the same without colour. */
export const StateMark = ({ state }: { state: ListedState | MachineState | 'performed' | 'removed' | 'claimed' | 'running' }) => (
  <span class={`state ${state}`}>
    <i aria-hidden="true" />
    {state}
  </span>
)
