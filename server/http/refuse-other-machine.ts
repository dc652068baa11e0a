import type { Identity } from './auth.ts'
import { HttpProblem } from './problem.ts'

/** Throws `HttpProblem` 403 when a machine's own credential speaks for another machine. */
export function refuseOtherMachine({ name, isMachine }: Identity, machine: string | undefined): void {
  if (isMachine === true && machine !== undefined && machine !== name) throw new HttpProblem(403, `expected the credential of the machine ${machine}, got that of ${name}`)
}
