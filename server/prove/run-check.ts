import { CommandError } from '../../appliance/run.ts'
import type { RecipeCheck } from '../../images/recipe.ts'

/** One line for people: `run systemctl is-active nginx`, `http port 80 /`. */
export const describeCheck = (check: RecipeCheck): string =>
  'run' in check ? `run ${check.run.trim().split('\n', 1)[0]}` : `http port ${check.http.port} ${check.http.path}`

export interface CheckedMachine {
  /** Where a TCP port of it is reached, for example `127.0.0.1:41727`. */
  addressOf(port: number): string
  /** Runs a shell script there as root; a script that fails throws a `CommandError`. */
  runScript(script: string): Promise<string>
  fetch: typeof fetch
  signal: AbortSignal
}

/** A check of the recipe that the machine does not pass: which, what was expected, what was got. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure'
}

/** Runs one check of a recipe against a booted copy of its image. Throws a `CheckFailure` when it does not hold. */
export async function runCheck(check: RecipeCheck, machine: CheckedMachine): Promise<void> {
  const fail = (got: string, options?: ErrorOptions): never => {
    throw new CheckFailure(`did not pass the check "${describeCheck(check)}": ${got}`, options)
  }
  if ('run' in check) {
    try {
      await machine.runScript(check.run)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      fail([`exited with ${error.exitCode}`, ...error.lastLines.slice(-5)].join('\n  '), { cause: error })
    }
    return
  }
  const { port, path, status, contains } = check.http
  const url = `http://${machine.addressOf(port)}${path}`
  try {
    const answer = await machine.fetch(url, { redirect: 'manual', signal: machine.signal })
    const body = await answer.text()
    if (answer.status !== status) fail(`expected status ${status} from ${url}, got ${answer.status}`)
    if (contains !== undefined && !body.includes(contains)) fail(`expected "${contains}" in the page at ${url}, got ${body.length} characters without it`)
  } catch (error) {
    if (error instanceof CheckFailure) throw error
    machine.signal.throwIfAborted()
    const { cause } = error as { cause?: unknown }
    fail(`no answer from ${url}: ${cause instanceof Error ? cause.message : String(error)}`, { cause: error })
  }
}
