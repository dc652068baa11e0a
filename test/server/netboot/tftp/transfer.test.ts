import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { negotiate } from '../../../../server/netboot/tftp/negotiate.ts'
import { startTransfer, type TransferEnd } from '../../../../server/netboot/tftp/transfer.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const ack = (block: number) => Buffer.of(0, 4, (block >> 8) & 0xff, block & 0xff)

/** A transfer whose packets end up in `sent`, as for example `DATA 1 (512)`. */
async function transfer(sizeBytes: number, options: Record<string, string> = {}) {
  const sent: string[] = []
  const ends: TransferEnd[] = []
  const stalls: number[] = []
  const terms = negotiate(new Map(Object.entries(options)), { sizeBytes, mtuBytes: 1500 })
  const describePacket = (packet: Buffer) => {
    const opcode = packet.readUInt16BE()
    if (opcode === 3) return `DATA ${packet.readUInt16BE(2)} (${packet.length - 4})`
    return opcode === 6 ? `OACK ${packet.subarray(2).toString().replaceAll('\0', ' ').trim()}` : `ERROR ${packet.readUInt16BE(2)}`
  }
  const running = startTransfer({
    bytes: Buffer.alloc(sizeBytes, 'x'),
    terms,
    send: (packet) => void sent.push(describePacket(packet)),
    onStalled: (block) => void stalls.push(block),
    onEnd: (end) => void ends.push(end),
  })
  const settle = () => vi.advanceTimersByTimeAsync(0)
  await settle()
  return {
    /** What was sent since the last call. */
    sent: () => sent.splice(0),
    ends,
    stalls,
    async receive(packet: Buffer) {
      running.receive(packet)
      await settle()
    },
  }
}

it('sends block by block, each when the one before is acknowledged', async () => {
  const { sent, receive, ends } = await transfer(700)
  expect(sent()).toEqual(['DATA 1 (512)'])
  await receive(ack(1))
  expect(sent()).toEqual(['DATA 2 (188)'])
  await receive(ack(2))
  expect(ends).toEqual([{ kind: 'complete' }])
})

it('ends a file that fills its last block with an empty one', async () => {
  const { sent, receive, ends } = await transfer(512)
  await receive(ack(1))
  expect(sent()).toEqual(['DATA 1 (512)', 'DATA 2 (0)'])
  await receive(ack(2))
  expect(ends).toEqual([{ kind: 'complete' }])
})

it('answers options first, and goes on when that is acknowledged', async () => {
  const { sent, receive } = await transfer(10, { tsize: '0' })
  expect(sent()).toEqual(['OACK tsize 10'])
  await receive(ack(0))
  expect(sent()).toEqual(['DATA 1 (10)'])
})

describe('windows (RFC 7440)', () => {
  it('one acknowledgement for each', async () => {
    const { sent, receive } = await transfer(5 * 512, { windowsize: '4' })
    await receive(ack(0))
    sent()
    await receive(ack(4))
    expect(sent()).toEqual(['DATA 5 (512)', 'DATA 6 (0)'])
  })
  it('go on behind the last block that arrived', async () => {
    const { sent, receive } = await transfer(8 * 512, { windowsize: '4' })
    await receive(ack(0))
    sent()
    await receive(ack(2))
    expect(sent()).toEqual(['DATA 3 (512)', 'DATA 4 (512)', 'DATA 5 (512)', 'DATA 6 (512)'])
  })
})

it("a duplicate acknowledgement sends nothing (Sorcerer's Apprentice)", async () => {
  const { sent, receive } = await transfer(2000)
  await receive(ack(1))
  sent()
  await receive(ack(1))
  await receive(ack(0))
  await receive(ack(7))
  expect(sent()).toEqual([])
})

it('counts on past block 65535', async () => {
  const { sent, receive, ends } = await transfer(65_540 * 8 + 3, { blksize: '8' })
  await receive(ack(0))
  for (let block = 1; block < 65_540; block++) await receive(ack(block))
  expect(sent().slice(-6)).toEqual(['DATA 65535 (8)', 'DATA 0 (8)', 'DATA 1 (8)', 'DATA 2 (8)', 'DATA 3 (8)', 'DATA 4 (8)'])
  await receive(ack(65_540))
  await receive(ack(65_541))
  expect(ends).toEqual([{ kind: 'complete' }])
})

it('sends again after 1, 2, 4, 8 and then every 16 seconds, and gives up after two minutes of silence', async () => {
  const { sent, ends } = await transfer(2000)
  const counts: number[] = []
  for (const seconds of [1, 2, 4, 8, 16, 16]) {
    await vi.advanceTimersByTimeAsync(seconds * 1000)
    counts.push(sent().length)
  }
  expect(counts).toEqual([2, 1, 1, 1, 1, 1])
  await vi.advanceTimersByTimeAsync(80_000)
  expect(ends).toEqual([{ kind: 'silence', block: 1 }])
})

it('takes the time that the client asks for', async () => {
  const { sent } = await transfer(2000, { timeout: '5' })
  await vi.advanceTimersByTimeAsync(4999)
  expect(sent()).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(sent()).toHaveLength(1)
})

it('counts as complete when only the last acknowledgement is missing', async () => {
  const { ends } = await transfer(10)
  await vi.advanceTimersByTimeAsync(15_000)
  expect(ends).toEqual([{ kind: 'complete' }])
})

describe('an ERROR of the client ends the transfer without an answer', () => {
  it.each([0, 8])('code %i in answer to the options is a probe', async (code) => {
    const { sent, receive, ends } = await transfer(10, { tsize: '0' })
    sent()
    await receive(Buffer.of(0, 5, 0, code, 0))
    await vi.advanceTimersByTimeAsync(200_000)
    expect(ends).toEqual([{ kind: 'probe' }])
    expect(sent()).toEqual([])
  })
  it('later it is a refusal, with its words', async () => {
    const { receive, ends } = await transfer(2000)
    await receive(Buffer.from('\0\x05\0\x03disk full\0'))
    expect(ends).toEqual([{ kind: 'refused', code: 3, message: 'disk full' }])
  })
})

it('F8 a client that does not acknowledge is told of after seven seconds, once, with the block', async () => {
  const silent = await transfer(5000)
  await silent.receive(ack(1))
  await vi.advanceTimersByTimeAsync(6900)
  expect(silent.stalls).toEqual([])
  await vi.advanceTimersByTimeAsync(200)
  expect(silent.stalls).toEqual([2])
  await vi.advanceTimersByTimeAsync(60_000)
  await silent.receive(ack(2))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(silent.stalls).toEqual([2])
})
