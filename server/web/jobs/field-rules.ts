import { askJson } from '../state/ask.ts'

/** What the browser checks a field by while it is filled in: what the server itself checks by. */
export interface FieldRules {
  pattern?: string
  title?: string
  min?: number
  max?: number
}

interface Schema {
  description?: string
  pattern?: string
  minimum?: number
  maximum?: number
  properties?: Record<string, Schema>
  items?: Schema
}

/** Rules of the fields of a job by their path, for example `requires.memoryMiB`; read from the schema that the server publishes. */
export async function loadFieldRules(): Promise<(path: string) => FieldRules> {
  const list = await askJson<Schema>('/schemas/jobs.json')
  const job = list.properties?.jobs?.items
  return (path) => {
    const field = path.split('.').reduce<Schema | undefined>((schema, key) => schema?.properties?.[key], job)
    const { pattern, description, minimum, maximum } = field ?? {}
    return {
      // The attribute stands for the whole value and is read with the flag `v`, in which a dash at the end of a class must be escaped (WHATWG HTML, 4.10.5.3.6).
      ...(pattern === undefined ? {} : { pattern: pattern.replace(/^\^|\$$/g, '').replaceAll('-]', '\\-]') }),
      ...(description === undefined ? {} : { title: description }),
      ...(minimum === undefined ? {} : { min: minimum }),
      ...(maximum === undefined ? {} : { max: maximum }),
    }
  }
}
