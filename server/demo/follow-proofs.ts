import { join } from 'node:path'
import type { MachineEvent } from '../api/event.ts'
import type { ProofBoot } from '../api/proof.ts'
import { nameOfBoot, proofPaths } from '../prove/proof-paths.ts'
import { describeBoot } from '../prove/prove.ts'
import { MachineFailure } from '../rack/machine-failure.ts'
import type { DemoContext } from './context.ts'

type ProofHop = Extract<MachineEvent, { hop: 'proof' }>

interface FollowContext extends Pick<DemoContext, 'feed' | 'emit' | 'paths' | 'signal'> {
  /** Called when the first proof begins. */
  onBegin: () => void
}

/**
 * Follows how the first computer proves the images that these machines made, from now on, and tells it: copies of each boot with every firmware of its recipe.
 * Settles once every image is visible and its job performed; throws a `MachineFailure` with the end of the console when a copy does not prove it.
 */
export async function followProofs(machines: readonly string[], context: FollowContext): Promise<void> {
  let copies = 0
  let hasBegun = false
  const nextName = ({ firmware }: ProofBoot): string => `${firmware}-${++copies}`
  const onBegin = (): void => {
    if (!hasBegun) context.onBegin()
    hasBegun = true
  }
  await Promise.all(machines.map((machine) => followProof(machine, nextName, { ...context, onBegin })))
}

function followProof(machine: string, nextName: (boot: ProofBoot) => string, { feed, emit, paths, signal, onBegin }: FollowContext): Promise<void> {
  return new Promise((resolve, reject) => {
    let image = { title: '', version: '' }
    // Copies boot side by side. Those that are on, and the name of each.
    const running = new Map<string, { boot: ProofBoot; name: string }>()
    let isMakingDisk = false
    const settle = (end: () => void): void => {
      unfollow()
      signal.removeEventListener('abort', onAbort)
      end()
    }
    const onAbort = (): void => settle(() => reject(signal.reason))
    const task = (state: 'begun' | 'done', detail: string): void => emit({ kind: 'task', task: 'image to disk', state, detail })

    const tell = ({ job, boot: now, event }: ProofHop): void => {
      if (now === undefined) {
        if (!isMakingDisk) task('begun', image.title)
        isMakingDisk = true
        return
      }
      const copy = `${job} ${nameOfBoot(now)}`
      if (event.kind === 'power-on') {
        if (isMakingDisk) task('done', `${image.title}, each chunk checked`)
        isMakingDisk = false
        const name = nextName(now)
        running.set(copy, { boot: now, name })
        emit({ kind: 'power-on', machine: copy, name, hardware: `${describeBoot(now)}, no network boot, a copy of the image's disk` })
      } else if (event.kind === 'proven') {
        emit({ ...event, machine: copy, name: running.get(copy)!.name, image: image.title })
        running.delete(copy)
      } else emit({ kind: 'proof', machine: copy, event })
    }

    const unfollow = feed.follow(machine, (event) => {
      if (event.hop === 'image') image = { title: `${event.image}:${event.version}`, version: event.version }
      if (event.hop === 'proof') {
        onBegin()
        tell(event)
      }
      if (event.hop === 'performed') {
        emit({ kind: 'machine', event })
        settle(resolve)
      }
      if (event.hop === 'lost' && event.failure !== undefined) {
        const { message, lastLines } = event.failure
        const consoles = proofPaths(join(paths.data, 'proofs'))
        const [only, ...others] = [...running.values()]
        const path = only === undefined || others.length > 0 ? consoles.consoles(image.version) : consoles.console(image.version, only.boot)
        settle(() => reject(new MachineFailure(image.title, `is not proven: ${message}`, { path, tail: (count) => lastLines.slice(-count) })))
      }
    })
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
  })
}
