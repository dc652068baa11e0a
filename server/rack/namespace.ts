import { setTimeout } from 'node:timers/promises'
import type { Start } from '../../appliance/run.ts'
import { isNamespaceMessage } from './namespace-message.ts'
import { startOutsideNetwork } from './outside-network.ts'

export interface NamespaceOptions {
  /** Program to run inside, a TypeScript file that calls `insideNamespace`, with its arguments. */
  entry: string
  args: readonly string[]
  /** Whether the first computer gets a way to the outside network; the machines of the rack never do. */
  outside: boolean
  /** Aborted with a reason, for example `SIGINT`, when the user wants to stop. */
  signal: AbortSignal
  start: Start
  /** Milliseconds that the program inside gets to end by itself once told to; default 10 s. */
  graceMs?: number
}

/**
 * Runs a Node program in fresh network, mount and PID namespaces, and gives its exit code back, 130 when `signal` was aborted.
 * Nothing stays behind, however either side ends: when this process dies, even by SIGKILL, the kernel ends `unshare` (the parent death
 * signal that setpriv sets), then its child (`--kill-child`), which is process 1 of its namespace, and with it every process inside; network
 * devices and mounts go with the namespaces. The terminal's Ctrl-C reaches this process only, which passes it on in words.
 * Source: setpriv(1), unshare(1), pid_namespaces(7).
 */
export async function runInNamespace({ entry, args, outside, signal, start, graceMs = 10_000 }: NamespaceOptions): Promise<number> {
  const standing = Promise.withResolvers<void>()
  const program = await start(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', '--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
      ...[process.execPath, ...process.execArgv, entry, ...args],
    ],
    {
      output: 'inherit',
      ownSession: true,
      env: terminalEnvironment(),
      onMessage: (message) => isNamespaceMessage(message) && message.kind === 'standing' && standing.resolve(),
    },
  )
  const abort = (): void => {
    program.send({ kind: 'abort', signal: String(signal.reason) })
    void Promise.race([setTimeout(graceMs, undefined, { ref: false }), program.ended]).then(() => program.kill('SIGKILL'))
  }
  signal.addEventListener('abort', abort, { once: true })
  try {
    const first = await Promise.race([standing.promise, program.ended])
    if (first === undefined) {
      // unshare itself is in the new network namespace already; only its child is in the new PID namespace.
      const network = outside && !signal.aborted ? await startOutsideNetwork(program.pid, start) : undefined
      if (signal.aborted) abort()
      else program.send({ kind: 'begin' })
      const ended = await program.ended
      network?.kill('SIGTERM')
      await network?.ended
      return exitCodeOf(ended.exitCode, signal)
    }
    return exitCodeOf(first.exitCode, signal)
  } finally {
    program.kill('SIGKILL')
    signal.removeEventListener('abort', abort)
  }
}

/** Stopped on demand is 130, as a shell reports Ctrl-C, however it ended in the end; killed by a signal otherwise counts as failed. */
const exitCodeOf = (exitCode: number | undefined, signal: AbortSignal): number => (signal.aborted ? 130 : (exitCode ?? 1))

/** What decides on colours and on the shape of the output; everything else of our environment stays outside. */
function terminalEnvironment(): Record<string, string> {
  const names = ['TERM', 'COLORTERM', 'NO_COLOR', 'FORCE_COLOR', 'CI', 'TMPDIR']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))
}
