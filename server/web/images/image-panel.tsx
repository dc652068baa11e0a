import { useEffect, useState } from 'preact/hooks'
import type { ImageDetails } from '../../api/image-details.ts'
import { Facts } from '../parts/facts.tsx'
import { Panel } from '../parts/panel.tsx'
import { askJson } from '../state/ask.ts'
import { messageOf } from '../state/notices.ts'
import { hrefOf } from '../state/route.ts'
import { mayChange } from '../state/session.ts'
import { binaryBytes, bytes, counted, dateTime, shortDigest } from '../text.ts'
import { DeployDialog } from './deploy-dialog.tsx'
import { ImageComparison } from './image-comparison.tsx'
import { PackageList } from './package-list.tsx'
import { ProofView } from './proof-view.tsx'

/** All that is known of a version of an image. */
export function ImagePanel({ name, version, onClose }: { name: string; version: string; onClose: () => void }) {
  const [image, setImage] = useState<ImageDetails | string | undefined>(undefined)
  const [isDeploying, setDeploying] = useState(false)
  useEffect(() => {
    const stop = new AbortController()
    askJson<ImageDetails>(detailsPath(name, version), { signal: stop.signal })
      .then(setImage)
      .catch((error: unknown) => stop.signal.aborted || setImage(messageOf(error)))
    return () => stop.abort()
  }, [])
  return (
    <Panel subject={`${name}:${version}`} kicker={`Image ${name}`} title={<span class="mono">{version}</span>} onClose={onClose}>
      {image === undefined ? <p class="muted">Asking…</p> : null}
      {typeof image === 'string' ? <p class="problem">{image}</p> : null}
      {typeof image === 'object' ? (
        <>
          <div class="buttons">
            {mayChange.value ? (
              <button type="button" class="primary" onClick={() => setDeploying(true)}>
                Deploy…
              </button>
            ) : null}
            <Downloads of={image} />
          </div>
          <Facts of={factsOf(image)} />
          <ProofView of={image} />
          <Partitions of={image} />
          <ImageComparison of={image} />
          <PackageList of={image.packages} />
          {isDeploying ? <DeployDialog image={image} onClose={() => setDeploying(false)} /> : null}
        </>
      ) : null}
    </Panel>
  )
}

export const detailsPath = (name: string, version: string): string => `/images/${encodeURIComponent(name)}/${encodeURIComponent(version)}.json`

const formats = [
  ['raw', 'raw'],
  ['qcow2', 'qcow2'],
  ['raw.zst', 'raw, zstd'],
  ['tar', 'OCI archive'],
] as const

const Downloads = ({ of: { name, version } }: { of: ImageDetails }) => (
  <p class="downloads">
    Download{' '}
    {formats.map(([ending, title]) => (
      <a key={ending} href={`/images/${encodeURIComponent(name)}/${encodeURIComponent(version)}/disk.${ending}`} download>
        {title}
      </a>
    ))}
  </p>
)

const factsOf = ({ digest, publishedAt, builtAt, diskBytes, sectorBytes, storedBytes, firmware, recipe, job, machine, workerVersion }: ImageDetails) =>
  [
    ['Disk', `${binaryBytes(diskBytes)}, stored in ${bytes(storedBytes)}${sectorBytes === 512 ? '' : `, sectors of ${sectorBytes} bytes`}`],
    ['Boots with', firmware.map((each) => (each === 'uefi' ? 'UEFI' : 'BIOS')).join(', ')],
    ['Recipe', <span title={recipe.digest}>{`${recipe.name}, ${shortDigest(recipe.digest)}`}</span>],
    ['Built', `${dateTime(builtAt)}, by worker ${workerVersion}`],
    ['On', <a class="mono" href={hrefOf('rack', machine)}>{machine}</a>],
    ['By the job', <a class="mono" href={hrefOf('jobs', job)}>{job}</a>],
    ['Published', dateTime(publishedAt)],
    ['Digest', <span class="mono">{digest}</span>],
  ] as const

const Partitions = ({ of: { partitions } }: { of: ImageDetails }) => (
  <section>
    <h3>{counted(partitions.length, 'partition')}</h3>
    <table class="plain">
      <thead class="sr">
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Filesystem</th>
          <th scope="col">Mounted at</th>
          <th scope="col">Size</th>
        </tr>
      </thead>
      <tbody>
        {partitions.map(({ name, filesystem, mountPoint, sizeBytes }) => (
          <tr key={name}>
            <td>{name}</td>
            <td>{filesystem}</td>
            <td class="mono">{mountPoint}</td>
            <td class="number">{binaryBytes(sizeBytes)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </section>
)
