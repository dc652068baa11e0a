import { useEffect, useState } from 'preact/hooks'
import type { ImageSummary } from '../../api/image-details.ts'
import { EmptyState } from '../parts/empty-state.tsx'
import { jobOrder } from '../state/overview-store.ts'
import { detail, goTo, hrefOf, subject } from '../state/route.ts'
import { binaryBytes, bytes, count, counted, dateTime } from '../text.ts'
import { tally } from '../jobs/shown-jobs.ts'
import { byName, images, loadImages } from './image-list.ts'
import { ImagePanel } from './image-panel.tsx'
import { ProofMark, SignatureMark } from './proof-mark.tsx'

/** The images of this first computer, by name, the newest version first. */
export function ImagesView() {
  const [words, setWords] = useState('')
  // A job that leaves the list may have made one.
  const jobs = `${jobOrder.value.length} ${tally.value.get('proving')}`
  useEffect(() => {
    const stop = new AbortController()
    void loadImages(stop.signal)
    return () => stop.abort()
  }, [jobs])
  const [name, version] = [subject.value, detail.value]
  const hasPanel = name !== undefined && version !== undefined
  return (
    <div class={`view images ${hasPanel ? 'with-panel' : ''}`}>
      <h1 class="sr">Images</h1>
      <div class="scroll">
        <List words={words} onWords={setWords} />
      </div>
      {hasPanel ? <ImagePanel key={`${name}:${version}`} name={name} version={version} onClose={() => goTo('images')} /> : null}
    </div>
  )
}

function List({ words, onWords }: { words: string; onWords: (words: string) => void }) {
  const list = images.value
  if (list === undefined) return <p class="muted pad">Asking for the images…</p>
  if (typeof list === 'string') return <p class="problem pad">{list}</p>
  if (list.length === 0) return <NoImages />
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean)
  const shown = list.filter(({ name, version, recipe, machine }) => wanted.every((word) => `${name}:${version} ${recipe.name} ${machine}`.toLowerCase().includes(word)))
  return (
    <>
      <div class="head">
        <p class="muted">
          {counted(byName(list).length, 'image')}, {counted(list.length, 'version')}
        </p>
        <label class="search">
          <span class="sr">Find images</span>
          <input type="search" placeholder="Find: image, version, recipe" value={words} onInput={(event) => onWords(event.currentTarget.value)} />
        </label>
      </div>
      {byName(shown).map(([name, versions]) => (
        <section key={name} class="image-group" aria-labelledby={`image-${name}`}>
          <h2 id={`image-${name}`} class="mono">
            {name}
          </h2>
          <Versions of={versions} />
        </section>
      ))}
    </>
  )
}

const Versions = ({ of: versions }: { of: readonly ImageSummary[] }) => (
  <table class="plain versions">
    <thead>
      <tr>
        <th scope="col">Version</th>
        <th scope="col">Proof</th>
        <th scope="col">Signature</th>
        <th scope="col" class="number">
          Stored
        </th>
        <th scope="col" class="number">
          Disk
        </th>
        <th scope="col" class="number">
          Packages
        </th>
        <th scope="col">Built</th>
      </tr>
    </thead>
    <tbody>
      {versions.map((image) => {
        const { name, version, storedBytes, diskBytes, packageCount, builtAt } = image
        const isLooked = subject.value === name && detail.value === version
        return (
          <tr key={version} class={isLooked ? 'looked' : ''}>
            <th scope="row" class="mono">
              <a href={hrefOf('images', name, version)} {...(isLooked ? { 'aria-current': 'true' as const } : {})}>
                {version}
              </a>
            </th>
            <td>
              <ProofMark of={image.proof} />
            </td>
            <td>
              <SignatureMark of={image.signature} />
            </td>
            <td class="number">{bytes(storedBytes)}</td>
            <td class="number">{binaryBytes(diskBytes)}</td>
            <td class="number">{count(packageCount)}</td>
            <td class="muted">{dateTime(builtAt)}</td>
          </tr>
        )
      })}
    </tbody>
  </table>
)

const NoImages = () => (
  <EmptyState title="No image was made yet">
    <p>
      A job makes one: <a href={hrefOf('jobs')}>add a job</a> from a recipe and power on a machine. Its image appears here once it was received, read back and
      proven.
    </p>
    <p>
      Images of another first computer come by <code>ingot image import</code>.
    </p>
  </EmptyState>
)
