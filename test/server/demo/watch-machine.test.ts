import { PassThrough } from 'node:stream'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import { createEventFeed, type EventFeed } from '../../../server/demo/event-feed.ts'
import { watchMachine } from '../../../server/demo/watch-machine.ts'
import { readConsole } from '../../../server/rack/console.ts'
import type { Machine } from '../../../server/rack/machine.ts'
import { MachineFailure } from '../../../server/rack/machine-failure.ts'

const id = '52-54-00-77-00-01'
const at = { time: '2026-11-23T21:20:01.123Z', machine: id }
const tftp: MachineEvent = { ...at, hop: 'tftp', file: 'undionly.kpxe', bytes: 74213, ms: 180 }
const image: MachineEvent = { ...at, hop: 'image', job: 'j-1', image: 'debian-12', version: 'j-1', digest: 'sha256:00', blobBytes: 1, diskBytes: 2 }

let feed: EventFeed
let output: PassThrough
let end: (ended: Awaited<Machine['ended']>) => void
let machine: Machine
beforeEach(() => {
  feed = createEventFeed()
  output = new PassThrough()
  const { promise, resolve } = Promise.withResolvers<Awaited<Machine['ended']>>()
  end = resolve
  machine = { name: 'm1', id, pid: 1, console: readConsole(output, '/run/m1.console'), forwards: new Map(), ended: promise, powerOff: async () => {} }
})
const watch = (signal = new AbortController().signal) => watchMachine({ machine, feed, accelerator: 'kvm', onEvent: () => {}, signal })

describe('following a machine', () => {
  test('gives the image once it was received', async () => {
    const watching = watch()
    for (const event of [tftp, image]) feed.add(event)
    expect(await watching).toEqual(image)
  })

  test('names the last hop and what did not follow it, with the end of the console', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const watching = watch()
      const outcome = watching.catch((error: unknown) => error)
      output.write('iPXE initialising devices...\n')
      await new Promise((resolve) => setImmediate(resolve))
      feed.add(tftp)
      vi.advanceTimersByTime(60_000)
      const failure = await outcome
      expect(failure).toBeInstanceOf(MachineFailure)
      expect(failure).toMatchObject({ message: 'm1 stopped after tftp undionly.kpxe: no boot script asked for within 60 s', consoleTail: ['iPXE initialising devices...'] })
    } finally {
      vi.useRealTimers()
    }
  })

  test('a renewed address does not hide how far the machine was', async () => {
    const watching = watch()
    feed.add(tftp)
    feed.add({ ...at, hop: 'dhcp-ack', address: '10.77.0.100', file: '' })
    end({ exitCode: 1, signal: undefined, lastLines: ['qemu: out of memory'] })
    await expect(watching).rejects.toThrow('m1 went off after tftp undionly.kpxe: qemu: out of memory')
  })

  test('a failed job ends it with the step and its message', async () => {
    const watching = watch()
    feed.add({ ...at, hop: 'failed', job: 'j-1', failure: { step: 'partition', message: 'no disk fits', lastLines: [] } })
    await expect(watching).rejects.toThrow('m1 failed its job in partition: no disk fits')
  })

  test('stops with the reason of the one who stops it', async () => {
    const stop = new AbortController()
    const watching = watch(stop.signal)
    stop.abort(new Error('stopped by SIGINT'))
    await expect(watching).rejects.toThrow('stopped by SIGINT')
  })

  test('what other machines do is not its own', async () => {
    const watching = watch()
    feed.add({ ...image, machine: '52-54-00-77-00-02' })
    end({ exitCode: 0, signal: undefined, lastLines: [] })
    await expect(watching).rejects.toThrow('m1 went off after power-on')
  })
})
