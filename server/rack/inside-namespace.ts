import { rm, writeFile, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Run } from '../../appliance/run.ts'
import { isNamespaceMessage } from './namespace-message.ts'
import { outsideNameServer } from './outside-network.ts'

/**
 * The other half of `runInNamespace`: sets the namespaces up, waits for the outside network and runs `main`, whose result becomes the exit
 * code. Returns never: the process ends with `main`, and as it is process 1 of its PID namespace, everything it started ends too.
 * `main`'s signal is aborted, with an error that says so as its reason, when the user wants to stop.
 */
export async function insideNamespace(run: Run, main: (signal: AbortSignal) => Promise<number>): Promise<never> {
  if (process.send === undefined || process.pid !== 1) throw new Error('This program is to be started by runInNamespace')
  const stop = new AbortController()
  const begin = Promise.withResolvers<void>()
  // Without its other half nobody is left to read what we do.
  process.once('disconnect', () => process.exit(1))
  process.on('message', (message) => {
    if (!isNamespaceMessage(message)) return
    if (message.kind === 'begin') begin.resolve()
    if (message.kind === 'abort') stop.abort(new Error(`stopped by ${message.signal}`))
  })
  stop.signal.addEventListener('abort', () => begin.resolve(), { once: true })
  await run('ip', ['link', 'set', 'lo', 'up'])
  // What is mounted there shows the network devices of the namespace that mounted it (sysfs(5)).
  await run('mount', ['-t', 'sysfs', 'sysfs', '/sys'])
  await useNameServer(outsideNameServer, run)
  process.send({ kind: 'standing' })
  await begin.promise
  process.exit(stop.signal.aborted ? 130 : await main(stop.signal))
}

/** Binds a resolv.conf of our own over the host's, in this mount namespace only, which `unshare` made private. */
async function useNameServer(address: string, run: Run): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-resolv-'))
  const file = join(directory, 'resolv.conf')
  await writeFile(file, `nameserver ${address}\n`)
  await run('mount', ['--bind', file, '/etc/resolv.conf'])
  // A bound file stays readable when its name is gone.
  await rm(directory, { recursive: true })
}
