import { useEffect, useState } from 'preact/hooks'
import type { Job } from '../../api/job.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { RefusalView } from '../parts/refusal-view.tsx'
import { useForm } from '../parts/use-form.ts'
import { ErasurePlan } from '../rack/erasure-plan.tsx'
import { askJson } from '../state/ask.ts'
import { tell } from '../state/notices.ts'
import { machines } from '../state/overview-store.ts'
import { loadFieldRules, type FieldRules } from './field-rules.ts'
import { newJobOf } from './new-job.ts'

interface Choices {
  recipes: string[]
  rules: (path: string) => FieldRules
}

const loadChoices = async (): Promise<Choices> => {
  const [{ recipes }, rules] = await Promise.all([askJson<{ recipes: string[] }>('/recipes.json'), loadFieldRules()])
  return { recipes, rules }
}

/** Makes a job from a recipe, its fields checked here as the server checks them. */
export function AddJobDialog({ onClose }: { onClose: () => void }) {
  const [choices, setChoices] = useState<Choices | undefined>(undefined)
  useEffect(() => void loadChoices().then(setChoices), [])
  return (
    <Dialog title="Add a job" onClose={onClose} wide>
      {choices === undefined ? <p class="muted">Asking which recipes there are…</p> : <JobForm {...choices} onClose={onClose} />}
    </Dialog>
  )
}

function JobForm({ recipes, rules, onClose }: Choices & { onClose: () => void }) {
  const form = useForm(async (values) => {
    const { id } = await askJson<Job>('/jobs', { method: 'POST', body: { ...newJobOf(values), ...(values.get('place') === 'first' ? { place: { at: 'first' } } : {}) } })
    tell(`${id} is on the list`)
    onClose()
  })
  const known = machines.all()
  const [recipe, setRecipe] = useState(recipes[0] ?? '')
  const [machine, setMachine] = useState('')
  const text = (path: string, label: string, hint?: string, more: object = {}) => (
    <Field label={label} hint={hint} problem={form.problemOf(path)}>
      {(ids) => <input {...ids} name={path} autocomplete="off" spellcheck={false} {...rules(path)} {...more} />}
    </Field>
  )
  const number = (path: string, label: string, hint?: string, more: object = {}) => text(path, label, hint, { type: 'number', step: 1, ...more })
  return (
    <form onSubmit={form.onSubmit}>
      <RefusalView of={form.refusal} />
      <div class="fields">
        <Field label="Recipe" hint="what the machine becomes" problem={form.problemOf('recipe')}>
          {(ids) => (
            <select {...ids} name="recipe" required value={recipe} onChange={(event) => setRecipe(event.currentTarget.value)}>
              {recipes.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          )}
        </Field>
        {text('id', 'Id', 'left empty: the recipe and the time')}
        {number('priority', 'Priority', 'higher goes first; 0 unless given')}
        <Field label="Place" hint="among jobs of its priority">
          {(ids) => (
            <select {...ids} name="place">
              <option value="last">last</option>
              <option value="first">first of the list</option>
            </select>
          )}
        </Field>
        {text('assignedTo', 'Only this machine', 'left empty: the first that asks and fits', {
          ...{ list: 'known-machines', class: 'mono' },
          onInput: (event: InputEvent) => setMachine((event.currentTarget as HTMLInputElement).value.trim()),
        })}
        <datalist id="known-machines">
          {known.map(({ id }) => (
            <option key={id} value={id} />
          ))}
        </datalist>
        {number('timeLimitMinutes', 'Time limit, minutes', 'from claim to image; 240 unless given', { min: 1 })}
        {number('maxAttempts', 'Attempts', 'that may be lost; 3 unless given')}
        <Field label="When lost" hint="after its time or silence">
          {(ids) => (
            <select {...ids} name="whenLost">
              <option value="">may be taken again</option>
              <option value="remove">leaves the list</option>
            </select>
          )}
        </Field>
      </div>
      <fieldset>
        <legend>Which machines may take it</legend>
        <div class="fields">
          <Field label="Firmware" problem={form.problemOf('requires.firmware')}>
            {(ids) => (
              <select {...ids} name="requires.firmware">
                <option value="">any</option>
                <option value="bios">BIOS</option>
                <option value="uefi">UEFI</option>
              </select>
            )}
          </Field>
          {number('requires.memoryMiB', 'Memory, MiB', 'at least')}
          {number('requires.diskGiB', 'Disk, GiB', 'at least')}
          {text('requires.labels', 'Labels', 'for example rack=b2', { pattern: '([a-z0-9][a-z0-9._\\-]*=[^\\s,]+[\\s,]*)*', title: 'label=value pairs, like rack=b2 room=3' })}
        </div>
      </fieldset>
      {machine === '' ? null : <ErasurePlan machine={machine} of={{ recipe }} />}
      <footer>
        {form.isBusy ? <p class="muted">The first job of a recipe builds its root filesystem; that takes a minute.</p> : null}
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary" disabled={form.isBusy}>
          {form.isBusy ? 'Preparing…' : 'Add'}
        </button>
      </footer>
    </form>
  )
}
