import prettyBytes from 'pretty-bytes'
import type { CheckedManifest, StoreReport } from './check-store.ts'

const bytes = (count: number) => prettyBytes(count)

/** What can be done about a manifest that is not whole. */
const remedyOf = ({ name, reference, isDisk }: CheckedManifest, setAside: boolean): string => {
  const first = setAside ? '' : 'run this with --repair, then '
  return isDisk
    ? `${first}let the same recipe build again, which sends what is missing, or copy ${name}:${reference} here from another registry; if it stays broken, delete it`
    : `${first}push ${name} again from where it is whole, or delete it`
}

/** A report for people, line by line; the last one is the verdict. */
export function renderStoreReport({ blobs, orphans, damaged, manifests, forsaken, problems, whole }: StoreReport): string[] {
  const broken = manifests.filter((each) => each.problems.length > 0)
  const setAside = damaged.every((each) => each.setAside)
  return [
    ...problems,
    ...damaged.map(({ digest, got, sizeBytes, setAside }) => `damaged: ${digest} reads back as ${got}, ${sizeBytes} bytes${setAside ? '; put aside into corrupt/' : ''}`),
    ...broken.flatMap((each) => [
      `broken: ${each.name}${each.reference === each.digest ? '@' : ':'}${each.reference}`,
      ...each.problems.map((problem) => `  ${problem}`),
      `  what to do: ${remedyOf(each, setAside)}`,
    ]),
    ...(orphans.count > 0 ? [`${orphans.count} blobs of ${bytes(orphans.bytes)} belong to no image; \`ingot image gc\` takes those that are older than a day`] : []),
    ...(forsaken > 0 ? [`${forsaken} signatures or other attachments are about images that are not here; \`ingot image gc\` takes those that are older than a day`] : []),
    `${blobs.count} blobs of ${bytes(blobs.bytes)} read, ${manifests.length} manifests checked: ${whole ? 'all whole' : `${damaged.length} blobs damaged, ${broken.length} manifests broken`}`,
  ]
}
