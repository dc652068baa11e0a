import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Run } from '../../appliance/run.ts'

/** A key pair for one proof: the path of the private half, and the line of the public one. */
export interface SshKey {
  path: string
  publicKey: string
}

export async function createSshKey(directory: string, run: Run): Promise<SshKey> {
  const path = join(directory, 'ssh-key')
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'ingot prove', '-f', path])
  return { path, publicKey: (await readFile(`${path}.pub`, 'utf8')).trim() }
}

/** A port that QEMU forwards is always open; whether anyone is behind it shows only by what he says. */
const greetingLimitMs = 5_000

/** Waits until an SSH server greets on a port of this host's loopback (RFC 4253, 4.2); rejects when `signal` is aborted. */
export async function waitForSsh(port: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const socket = connect({ host: '127.0.0.1', port })
    // Also one that comes when nobody waits any more.
    socket.on('error', () => {})
    try {
      const [greeting] = (await once(socket, 'data', { signal: AbortSignal.any([signal, AbortSignal.timeout(greetingLimitMs)]) })) as [Buffer]
      if (greeting.toString('latin1').startsWith('SSH-')) return
    } catch {
      signal.throwIfAborted()
    } finally {
      socket.destroy()
    }
    await setTimeout(500, undefined, { signal })
  }
}

/** Runs a shell script as root on the machine and returns its standard output. Throws a `CommandError` with its exit code and last lines. */
export const runBySsh = (port: number, script: string, { key, run, signal }: { key: SshKey; run: Run; signal: AbortSignal }): Promise<string> =>
  run(
    'ssh',
    [
      // Nothing of this host's own configuration; the copy was made a minute ago, so nobody can know its host key.
      ...['-F', '/dev/null', '-i', key.path, '-o', 'IdentitiesOnly=yes', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'],
      ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-p', String(port), 'root@127.0.0.1', '/bin/sh', '-s'],
    ],
    { input: script, signal },
  )
