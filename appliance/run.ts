import { execa, ExecaError, type Options } from 'execa'

export interface RunOptions {
  /** Milliseconds until the program is ended; default 10 minutes. */
  timeoutMs?: number
  cwd?: string
  /** The whole environment of the program besides PATH, HOME and LANG=C.UTF-8. */
  env?: Record<string, string>
  /** Text given on standard input. */
  input?: string
  /** Called with each line of standard output and standard error as it comes. */
  onLine?: (line: string) => void
  signal?: AbortSignal
}

/** A program that ended badly: the line one could paste into a shell, how it ended, and its last lines. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly command: string
  readonly exitCode: number | undefined
  readonly lastLines: string[]

  constructor(error: ExecaError) {
    const lastLines = String(error.all ?? '').split('\n').filter((line) => line.trim() !== '').slice(-20)
    const ending = error.timedOut ? 'took longer than its time limit' : error.exitCode === undefined ? (error.originalMessage ?? 'did not start') : `exited with ${error.exitCode}`
    super(`${error.escapedCommand}: ${ending}${lastLines.length > 0 ? `: ${lastLines.at(-1)}` : ''}`)
    this.command = error.escapedCommand
    this.exitCode = error.exitCode
    this.lastLines = lastLines
  }
}

export const baseEnvironment = (): Record<string, string> => ({
  PATH: process.env.PATH ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: process.env.HOME ?? '/root',
  LANG: 'C.UTF-8',
})

/** Options shared by every program Ingot starts: no shell, explicit environment, ended with us. */
export const execaOptions = (options: RunOptions) =>
  ({
    env: { ...baseEnvironment(), ...options.env },
    extendEnv: false,
    timeout: options.timeoutMs ?? 600_000,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    all: true,
    stripFinalNewline: true,
    maxBuffer: 16 * 1024 * 1024,
  }) satisfies Options

/**
 * Runs one program to its end and returns its standard output, for example `await run('sfdisk', ['--json', '/dev/vda'])`.
 * Throws a `CommandError` when it exits with anything but 0, is killed or takes too long.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  try {
    const child = execa(program, [...args], {
      ...execaOptions(options),
      ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    })
    if (options.onLine !== undefined) for await (const line of child.iterable({ from: 'all' })) options.onLine(String(line))
    return String((await child).stdout)
  } catch (error) {
    if (error instanceof ExecaError) throw new CommandError(error)
    throw error
  }
}
export type Run = typeof run
