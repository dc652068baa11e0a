import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable, type Duplex } from 'node:stream'
import { execa, ExecaError, type Options } from 'execa'

export interface RunOptions {
  /** Milliseconds until the program is ended; default 10 minutes. */
  timeoutMs?: number
  cwd?: string
  /** The whole environment of the program besides PATH, HOME and LANG=C.UTF-8. */
  env?: Record<string, string>
  /** Text given on standard input, or bytes as they come. When the bytes break off with an error, that error is thrown. */
  input?: string | AsyncIterable<Uint8Array>
  /** Called with each line of standard output and standard error as it comes. */
  onLine?: (line: string) => void
  /** A file that standard output goes into, whatever its size; then it is neither told line by line nor returned. */
  outputPath?: string
  /** An open file that the program gets as its file descriptor 3; it then has no standard input. */
  descriptor?: number
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

/** Any open file can be handed on; the types know only the numbers up to 9. */
const inherited = (descriptor: number) => descriptor as 3

function standardInput(input: RunOptions['input'], onBroken: (error: Error) => void): Options {
  if (input === undefined) return { stdin: 'ignore' }
  return { input: typeof input === 'string' ? input : Readable.from(input, { objectMode: false }).once('error', onBroken) }
}

/**
 * Runs one program to its end and returns its standard output, for example `await run('sfdisk', ['--json', '/dev/vda'])`.
 * Throws a `CommandError` when it exits with anything but 0, is killed or takes too long.
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  let broken: Error | undefined
  const output = options.outputPath === undefined ? undefined : await open(options.outputPath, 'w')
  try {
    const child = execa(program, [...args], {
      ...execaOptions(options),
      ...(options.descriptor === undefined ? standardInput(options.input, (error) => (broken = error)) : { stdio: ['ignore', 'pipe', 'pipe', inherited(options.descriptor)] as const }),
      // A stream over an open file is handed to the program as it is: nothing flows through us.
      ...(output === undefined ? {} : { stdout: output.createWriteStream({ autoClose: false }) }),
    })
    if (options.onLine !== undefined) for await (const line of child.iterable({ from: 'all' })) options.onLine(String(line))
    return String((await child).stdout ?? '')
  } catch (error) {
    // The program itself can only complain that its input ended too soon.
    if (broken !== undefined) throw broken
    if (error instanceof ExecaError) throw new CommandError(error)
    throw error
  } finally {
    await output?.close()
  }
}
export type Run = typeof run

export interface StartOptions {
  cwd?: string
  /** The whole environment of the program besides PATH, HOME and LANG=C.UTF-8. */
  env?: Record<string, string>
  /** `pipe` (default): ours to read from `stdout` and `stderr`. `inherit`: it writes where we write, terminal included. */
  output?: 'pipe' | 'inherit'
  /** Pipes beyond standard error: the program's file descriptors 3, 4, … */
  extraPipes?: number
  /** An open file that the program gets as its file descriptor 3, in place of such pipes. */
  descriptor?: number
  /** Called with each line of standard error, when that is ours to read. */
  onErrorLine?: (line: string) => void
  /** Called with each message when the program is a Node program of ours with `process.send`. */
  onMessage?: (message: unknown) => void
  /** Puts it into a session of its own, so that the terminal's Ctrl-C reaches us alone. */
  ownSession?: boolean
}

/** How a program ended; `lastLines` are those of its standard error, when that is ours to read. */
export interface Ended {
  exitCode: number | undefined
  signal: string | undefined
  lastLines: string[]
}

/** A program that runs beside us until it ends or is ended. */
export interface StartedProgram {
  readonly pid: number
  /** The line one could paste into a shell. */
  readonly command: string
  readonly stdout: Readable | undefined
  readonly extraPipes: readonly Duplex[]
  /** Settles once it has ended and its output is closed; never rejects. */
  readonly ended: Promise<Ended>
  send(message: object): void
  kill(signal: NodeJS.Signals): void
}

/**
 * Starts a program that is meant to last, for example `await start('qemu-system-x86_64', args)`; nothing is thrown when it ends.
 * Throws a `CommandError` when it cannot be started.
 */
export async function start(program: string, args: readonly string[], options: StartOptions = {}): Promise<StartedProgram> {
  const output = options.output ?? 'pipe'
  const extraPipes = Array.from({ length: options.extraPipes ?? 0 }, () => 'pipe' as const)
  const child = execa(program, [...args], {
    env: { ...baseEnvironment(), ...options.env },
    extendEnv: false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdio: ['ignore', output, output, ...(options.descriptor === undefined ? extraPipes : [inherited(options.descriptor)])],
    ipc: options.onMessage !== undefined,
    detached: options.ownSession ?? false,
    buffer: false,
    reject: false,
  })
  const lastLines: string[] = []
  if (child.stderr !== null) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      options.onErrorLine?.(line)
      lastLines.push(line)
      if (lastLines.length > 20) lastLines.shift()
    })
  }
  if (options.onMessage !== undefined) child.on('message', options.onMessage)
  const { pid } = child
  if (pid === undefined) throw new CommandError((await child) as unknown as ExecaError)
  return {
    pid,
    command: [program, ...args].join(' '),
    stdout: child.stdout ?? undefined,
    extraPipes: extraPipes.map((_, index) => child.stdio[3 + index] as unknown as Duplex),
    ended: child.then(({ exitCode, signal }) => ({ exitCode, signal, lastLines })),
    send: (message) => void child.send?.(message as never, () => {}),
    kill: (signal) => void child.kill(signal),
  }
}
export type Start = typeof start
