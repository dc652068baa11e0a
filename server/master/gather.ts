import { HttpProblem } from '../http/problem.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { describeOutage } from './outage.ts'

/** What the first computers answered, in their order, and why the others did not. */
export interface Gathered<Answer> {
  answers: { link: FirstComputerLink; answer: Answer }[]
  problems: string[]
}

/** Asks all first computers at once, but those known to be away. A failed answer is a problem told, never an empty one. */
export async function gather<Answer>(links: readonly FirstComputerLink[], ask: (link: FirstComputerLink) => Promise<Answer>): Promise<Gathered<Answer>> {
  const problems: string[] = []
  const answers = await Promise.all(
    links.map(async (link) => {
      const outage = describeOutage(link)
      if (outage === undefined) {
        try {
          return { link, answer: await ask(link) }
        } catch (error) {
          if (!(error instanceof HttpProblem)) throw error
          problems.push(error.message)
        }
      } else problems.push(outage)
      return undefined
    }),
  )
  return { answers: answers.filter((each) => each !== undefined), problems }
}

/** Throws 503 when no first computer answered at all. */
export function needAnswer<Answer>(gathered: Gathered<Answer>): Gathered<Answer> {
  if (gathered.answers.length === 0) throw new HttpProblem(503, 'no first computer answers', gathered.problems)
  return gathered
}
