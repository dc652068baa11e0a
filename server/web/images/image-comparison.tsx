import { useEffect, useState } from 'preact/hooks'
import type { ImageDetails } from '../../api/image-details.ts'
import { askJson } from '../state/ask.ts'
import { messageOf } from '../state/notices.ts'
import { counted } from '../text.ts'
import { diffImages, type Difference } from './diff-images.ts'
import { images } from './image-list.ts'
import { detailsPath } from './image-panel.tsx'

/** What changed since another version of the same image; at first since the one before. */
export function ImageComparison({ of: image }: { of: ImageDetails }) {
  const list = Array.isArray(images.value) ? images.value.filter(({ name }) => name === image.name) : []
  const at = list.findIndex(({ version }) => version === image.version)
  const [chosen, setChosen] = useState<string | undefined>(undefined)
  const against = chosen ?? (list[at + 1] ?? list[at - 1])?.version
  const [other, setOther] = useState<ImageDetails | string | undefined>(undefined)
  useEffect(() => {
    if (against === undefined) return undefined
    const stop = new AbortController()
    askJson<ImageDetails>(detailsPath(image.name, against), { signal: stop.signal })
      .then(setOther)
      .catch((error: unknown) => stop.signal.aborted || setOther(messageOf(error)))
    return () => stop.abort()
  }, [image.name, against])
  if (against === undefined) return null
  const difference = typeof other === 'object' ? diffImages(other, image) : undefined
  return (
    <section>
      <h3>
        <label>
          Changed since{' '}
          <select class="mono" value={against} onChange={(event) => setChosen(event.currentTarget.value)}>
            {list
              .filter(({ version }) => version !== image.version)
              .map(({ version }) => (
                <option key={version}>{version}</option>
              ))}
          </select>
        </label>
      </h3>
      {typeof other === 'string' ? <p class="problem">{other}</p> : null}
      {difference === undefined ? null : (
        <>
          <Changes title="package" of={difference.packages} />
          <Changes title="other thing" of={difference.configuration} />
        </>
      )}
    </section>
  )
}

function Changes({ title, of: differences }: { title: string; of: readonly Difference[] }) {
  if (differences.length === 0) return <p class="muted">no {title} changed</p>
  return (
    <table class="plain changes">
      <caption>{counted(differences.length, `${title} changed`, `${title}s changed`)}</caption>
      <thead class="sr">
        <tr>
          <th scope="col">What</th>
          <th scope="col">Before</th>
          <th scope="col">After</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ what, before, after }) => (
          <tr key={what}>
            <td>{what}</td>
            <td class="mono">{before === undefined ? <span class="muted">–</span> : <del>{before}</del>}</td>
            <td class="mono">{after === undefined ? <span class="muted">gone</span> : <ins>{after}</ins>}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
