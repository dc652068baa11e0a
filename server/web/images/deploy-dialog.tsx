import { useState } from 'preact/hooks'
import type { ImageDetails } from '../../api/image-details.ts'
import type { Job } from '../../api/job.ts'
import { Dialog } from '../parts/dialog.tsx'
import { Field } from '../parts/field.tsx'
import { RefusalView } from '../parts/refusal-view.tsx'
import { useForm } from '../parts/use-form.ts'
import { ErasurePlan } from '../rack/erasure-plan.tsx'
import { askJson } from '../state/ask.ts'
import { tell } from '../state/notices.ts'
import { machines } from '../state/overview-store.ts'

/** Puts a job on the list that writes an image onto the disk of a machine, and tells before what that would erase. */
export function DeployDialog({ image, onClose }: { image: ImageDetails; onClose: () => void }) {
  const [machine, setMachine] = useState('')
  const form = useForm(async (values) => {
    const text = (name: string): string | undefined => String(values.get(name) ?? '').trim() || undefined
    const keys = (text('sshKeys') ?? '').split('\n').map((line) => line.trim()).filter(Boolean)
    const hostname = text('hostname')
    const { id } = await askJson<Job>('/jobs', {
      method: 'POST',
      body: {
        deploy: { image: image.name, version: image.version, ...(hostname === undefined ? {} : { hostname }), ...(keys.length === 0 ? {} : { sshKeys: keys }) },
        ...(machine === '' ? {} : { assignedTo: machine }),
      },
    })
    tell(`${id} is on the list`)
    onClose()
  })
  return (
    <Dialog title={`Deploy ${image.name}:${image.version}`} onClose={onClose} wide>
      <form onSubmit={form.onSubmit}>
        <RefusalView of={form.refusal} />
        <div class="fields">
          <Field label="Machine" hint="left empty: the first that asks and fits" problem={form.problemOf('assignedTo')}>
            {(ids) => <input {...ids} class="mono" autocomplete="off" list="deployable" value={machine} onInput={(event) => setMachine(event.currentTarget.value.trim())} />}
          </Field>
          <datalist id="deployable">
            {machines.all().map(({ id }) => (
              <option key={id} value={id} />
            ))}
          </datalist>
          <Field label="Host name" hint="left empty: from DHCP" problem={form.problemOf('deploy.hostname')}>
            {(ids) => <input {...ids} name="hostname" autocomplete="off" spellcheck={false} />}
          </Field>
        </div>
        <Field label="SSH keys" hint="public keys that may log in, one a line" problem={form.problemOf('deploy.sshKeys')}>
          {(ids) => <textarea {...ids} class="mono" name="sshKeys" rows={3} spellcheck={false} />}
        </Field>
        <ErasurePlan machine={machine} of={{ image: image.name, version: image.version }} />
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={form.isBusy}>
            Deploy
          </button>
        </footer>
      </form>
    </Dialog>
  )
}
