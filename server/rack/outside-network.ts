import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import type { Start, StartedProgram } from '../../appliance/run.ts'
import { IngotError } from '../errors.ts'

/** Name server that slirp4netns offers inside: it asks the ones of this host (slirp4netns(1), "DEFAULT CONFIGURATION"). */
export const outsideNameServer = '10.0.2.3'

/**
 * Gives the network namespace of process `pid` a way out, in user space by slirp4netns: nothing of this host's network is changed, and its
 * loopback cannot be reached. It ends when we do, for the kernel then closes its `--exit-fd`.
 * Throws `IngotError` `host-lacks` when it does not come up.
 */
export async function startOutsideNetwork(pid: number, start: Start): Promise<StartedProgram> {
  const args = ['--configure', '--mtu=65520', '--disable-host-loopback', '--ready-fd=3', '--exit-fd=4', String(pid), 'outside0']
  const program = await start('slirp4netns', args, { extraPipes: 2, ownSession: true })
  const [ready] = program.extraPipes
  const limit = new AbortController()
  try {
    const outcome = await Promise.race([
      once(ready!, 'data', { signal: limit.signal }).then(() => 'ready' as const),
      program.ended,
      setTimeout(10_000, 'late' as const, { signal: limit.signal }),
    ])
    if (outcome === 'ready') return program
    program.kill('SIGKILL')
    const why = outcome === 'late' ? 'not ready within 10 s' : (outcome.lastLines.at(-1) ?? `exited with ${outcome.exitCode}`)
    throw new IngotError('host-lacks', `the outside network of the virtual rack did not come up: slirp4netns: ${why}`)
  } finally {
    limit.abort()
  }
}
