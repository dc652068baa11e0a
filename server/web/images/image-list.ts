import { signal } from '@preact/signals'
import type { ImageListAnswer, ImageSummary } from '../../api/image-details.ts'
import { askJson } from '../state/ask.ts'
import { messageOf } from '../state/notices.ts'

/** Every version of every image, the newest first; a text when they cannot be told. */
export const images = signal<readonly ImageSummary[] | string | undefined>(undefined)

export async function loadImages(signal: AbortSignal): Promise<void> {
  try {
    images.value = (await askJson<ImageListAnswer>('/images.json', { signal })).images
  } catch (error) {
    if (!signal.aborted) images.value = messageOf(error)
  }
}

/** Versions by the name of their image, names in order. */
export function byName(list: readonly ImageSummary[]): [string, ImageSummary[]][] {
  const found = Map.groupBy(list, ({ name }) => name)
  return [...found].toSorted(([one], [other]) => one.localeCompare(other))
}
