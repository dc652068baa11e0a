import { IngotError } from '../errors.ts'

/** What is checked of an image, in the order in which it is told. */
export const parts = ['content', 'signature', 'provenance', 'sbom', 'proof'] as const
export type Part = (typeof parts)[number]

/** What was found of one part: good when there is no problem. */
export interface Finding {
  part: Part
  /** One line for people, of what is so; empty when nothing can be said. */
  tells: string
  problems: string[]
}

export const good = (part: Part, tells: string): Finding => ({ part, tells, problems: [] })
export const bad = (part: Part, ...problems: string[]): Finding => ({ part, tells: '', problems })

/** What keeps a part from being good; a defect of ours is no finding and is thrown on. */
export function problemOf(error: unknown): string {
  if (error instanceof IngotError) return error.message
  throw error
}
