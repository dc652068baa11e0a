import { beforeEach, expect, test } from 'vitest'
import type { MachineEvent } from '../../../server/api/event.ts'
import type { ProofBoot, ProofEvent } from '../../../server/api/proof.ts'
import type { NewDemoEvent } from '../../../server/demo/event.ts'
import { createEventFeed, type EventFeed } from '../../../server/demo/event-feed.ts'
import { followProofs } from '../../../server/demo/follow-proofs.ts'
import { demoPaths } from '../../../server/demo/options.ts'

const at = { time: '2026-11-29T06:30:01.123Z', machine: '52-54-00-77-00-01', job: 'web-1' }
const image: MachineEvent = { ...at, hop: 'image', image: 'web', version: 'web-1', digest: 'sha256:00', blobBytes: 1, diskBytes: 2 }
const bios: ProofBoot = { firmware: 'bios', secureBoot: false }
const uefi: ProofBoot = { firmware: 'uefi', secureBoot: true }
const proof = (boot: ProofBoot, event: ProofEvent): MachineEvent => ({ ...at, hop: 'proof', boot, event })
const lost: MachineEvent = { ...at, hop: 'lost', loss: 'failed', failure: { step: 'proof', message: 'a copy on BIOS said no', lastLines: ['Kernel panic'] } }

let feed: EventFeed
let told: NewDemoEvent[]
let followed: Promise<void>
beforeEach(() => {
  feed = createEventFeed()
  told = []
  followed = followProofs([at.machine], { feed, emit: (event) => told.push(event), paths: demoPaths('/demo'), signal: new AbortController().signal, onBegin: () => {} })
  for (const event of [image, proof(bios, { kind: 'power-on' }), proof(uefi, { kind: 'power-on' })]) feed.add(event)
})

test('of copies that boot side by side each is told by its own name', async () => {
  const proven = { kind: 'proven', loginMs: 1, checkedMs: 2 } as const
  for (const event of [proof(bios, proven), proof(uefi, proven), { ...at, hop: 'performed' } as const]) feed.add(event)
  await followed
  const named = told.filter((event): event is Extract<NewDemoEvent, { name: string }> => 'name' in event)
  expect(named.map(({ kind, name, machine }) => [kind, name, machine])).toEqual([
    ['power-on', 'bios-1', 'web-1 bios'],
    ['power-on', 'uefi-2', 'web-1 uefi-secure-boot'],
    ['proven', 'bios-1', 'web-1 bios'],
    ['proven', 'uefi-2', 'web-1 uefi-secure-boot'],
  ])
})

test('a failed proof names the console of the copy that was on', async () => {
  feed.add(proof(uefi, { kind: 'proven', loginMs: 1, checkedMs: 2 }))
  feed.add(lost)
  await expect(followed).rejects.toMatchObject({ consolePath: expect.stringMatching(/consoles\/web-1\/bios\.console$/), consoleTail: ['Kernel panic'] })
})

test('a failed proof names the folder of the consoles when several copies were on', async () => {
  feed.add(lost)
  await expect(followed).rejects.toMatchObject({ reason: 'is not proven: a copy on BIOS said no', consolePath: expect.stringMatching(/consoles\/web-1$/) })
})
