import { useState } from 'preact/hooks'
import type { ImageDetails } from '../../api/image-details.ts'
import { counted } from '../text.ts'

/** The packages of an image; those whose name has what was typed. */
export function PackageList({ of: packages }: { of: ImageDetails['packages'] }) {
  const [word, setWord] = useState('')
  const shown = packages.filter(({ name }) => name.includes(word.trim()))
  return (
    <section>
      <details>
        <summary>{counted(packages.length, 'package')}</summary>
        <label>
          <span class="sr">Find packages</span>
          <input type="search" placeholder="Find a package" value={word} onInput={(event) => setWord(event.currentTarget.value)} />
        </label>
        <ul class="packages mono">
          {shown.map(({ name, version }) => (
            <li key={name}>
              {name} <span class="muted">{version}</span>
            </li>
          ))}
        </ul>
      </details>
    </section>
  )
}
