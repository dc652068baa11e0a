import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatData, formatError, formatOptionAck, parseRequest, parseTransferPacket } from '../../../../server/netboot/tftp/packets.ts'

const rrq = (text: string, opcode = 1) => Buffer.concat([Buffer.of(0, opcode), Buffer.from(text, 'latin1')])

describe('requests', () => {
  it('are read with their options, whose names are in any case', () => {
    expect(parseRequest(rrq('a.efi\0OCTET\0BlkSize\x001428\0tsize\x000\0'))).toEqual({
      kind: 'read',
      file: 'a.efi',
      mode: 'octet',
      options: new Map([
        ['blksize', '1428'],
        ['tsize', '0'],
      ]),
    })
  })
  it('are read without the last NUL, and with padding behind', () => {
    expect(parseRequest(rrq('a\0octet'))).toMatchObject({ file: 'a', mode: 'octet' })
    expect(parseRequest(rrq('a\0octet\0\0\0\0'))).toMatchObject({ options: new Map() })
  })
  it('to write are told apart', () => expect(parseRequest(rrq('a\0octet\0', 2))).toEqual({ kind: 'write', file: 'a' }))
  it.each([
    ['empty', Buffer.alloc(0)],
    ['one byte', Buffer.of(0)],
    ['an ACK of two bytes', Buffer.of(0, 4)],
    ['no name', rrq('\0octet\0')],
    ['no mode', rrq('a\0')],
    ['a DATA', rrq('\0\x01aa', 3)],
  ])('%s: no request', (_, bytes) => expect(parseRequest(bytes)).toBeUndefined())
})

it('packets of a transfer are ACK and ERROR, everything else is nothing', () => {
  expect(parseTransferPacket(Buffer.of(0, 4, 1, 2))).toEqual({ kind: 'ack', block: 258 })
  expect(parseTransferPacket(Buffer.of(0, 5, 0, 8, 110, 111, 0))).toEqual({ kind: 'error', code: 8, message: 'no' })
  expect(parseTransferPacket(Buffer.of(0, 4))).toBeUndefined()
  expect(parseTransferPacket(Buffer.of(0, 3, 0, 1))).toBeUndefined()
})

it('no bytes make the parsers throw', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 64 }),
      (bytes) => void [parseRequest(Buffer.from(bytes)), parseTransferPacket(Buffer.from(bytes))],
    ),
    { numRuns: 2000 },
  )
})

it('packets are written as RFC 1350 and RFC 2347 say', () => {
  expect(formatData(0x1_0002, Buffer.from('ab'))).toEqual(Buffer.of(0, 3, 0, 2, 97, 98))
  expect(formatOptionAck(new Map([['tsize', '7']]))).toEqual(Buffer.from('\0\x06tsize\x007\0'))
  expect(formatError(1, 'no')).toEqual(Buffer.from('\0\x05\0\x01no\0'))
})
