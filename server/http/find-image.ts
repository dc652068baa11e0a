import { IngotError } from '../errors.ts'
import type { Image, ImageStore } from '../image-store/open-image-store.ts'
import { HttpProblem } from './problem.ts'

/** A version of an image, by version or digest; throws `HttpProblem` 404 when there is none. */
export async function findImage(store: ImageStore, name: string, version: string): Promise<Image> {
  try {
    return await store.resolve(name, version)
  } catch (error) {
    if (error instanceof IngotError && error.code === 'image-unknown') throw new HttpProblem(404, error.message)
    throw error
  }
}
