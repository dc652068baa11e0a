import type { FileReader } from './file-map.ts'
import type { Terms } from './negotiate.ts'
import { formatData, formatError, formatOptionAck, parseTransferPacket, tftpErrors } from './packets.ts'

/** How a transfer ended. */
export type TransferEnd =
  | { kind: 'complete' }
  /** The client only wanted the size: it refuses the OACK and asks again, as EDK2 does. */
  | { kind: 'probe' }
  | { kind: 'refused'; code: number; message: string }
  /** Nothing came for two minutes; `block` is the first that was not acknowledged, 0 the answer to the options. */
  | { kind: 'silence'; block: number }
  | { kind: 'broken'; error: Error }

export interface TransferOptions {
  reader: FileReader
  terms: Terms
  send: (packet: Buffer) => void
  onEnd: (end: TransferEnd) => void
}

/** Silence after which a client is given up. */
const giveUpMs = 120_000
const longestWaitMs = 16_000
/** The last block is not worth waiting for so long: many ROMs start what they loaded without acknowledging it. */
const lastBlockTries = 4

/**
 * Sends one file: RFC 1350 with the windows of RFC 7440. Blocks are counted from 1 without limit, so that files beyond 65,535 blocks go
 * through; a window goes out when the one before it is acknowledged or when time runs out, never for a duplicate ACK (the Sorcerer's Apprentice
 * bug, RFC 1123 section 4.2.3.1). Nothing is ever sent in answer to an ERROR.
 */
export function startTransfer({ reader, terms, send, onEnd }: TransferOptions): { receive(datagram: Buffer): void; stop(): void } {
  const { blockBytes, windowBlocks, accepted } = terms
  // A file that fills its last block ends with an empty one.
  const lastBlock = Math.floor(reader.sizeBytes / blockBytes) + 1
  const firstBlock = accepted.size > 0 ? 0 : 1
  let awaited = firstBlock
  let sentThrough = firstBlock - 1
  let tries = 0
  let silentMs = 0
  let timer: NodeJS.Timeout | undefined
  let isOver = false

  const end = (how: TransferEnd) => {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    onEnd(how)
  }

  /** Sends the window that begins with the block awaited. Block 0 is the OACK. */
  async function sendWindow(): Promise<void> {
    const from = awaited
    if (from === 0) {
      send(formatOptionAck(accepted))
      sentThrough = 0
      return
    }
    const through = Math.min(from + windowBlocks - 1, lastBlock)
    const bytes = await reader.read((from - 1) * blockBytes, (through - from + 1) * blockBytes)
    if (isOver || from !== awaited) return
    for (let block = from; block <= through; block++) {
      const at = (block - from) * blockBytes
      send(formatData(block, bytes.subarray(at, at + blockBytes)))
    }
    sentThrough = through
  }

  function sendAndWait(): void {
    const waitMs = Math.min(terms.timeoutMs * 2 ** tries, Math.max(longestWaitMs, terms.timeoutMs))
    clearTimeout(timer)
    timer = setTimeout(() => {
      silentMs += waitMs
      tries += 1
      if (sentThrough === lastBlock && tries >= lastBlockTries) end({ kind: 'complete' })
      else if (silentMs >= giveUpMs) end({ kind: 'silence', block: awaited })
      else sendAndWait()
    }, waitMs)
    sendWindow().catch((error: Error) => {
      send(formatError(tftpErrors.undefined, 'the file can no longer be read'))
      end({ kind: 'broken', error })
    })
  }

  function acknowledge(shortBlock: number): void {
    // The block nearest to those under way that has these lower 16 bits.
    const block = awaited + ((shortBlock - awaited) & 0xffff)
    if (block > sentThrough) return
    if (block === lastBlock) return end({ kind: 'complete' })
    awaited = block + 1
    tries = 0
    silentMs = 0
    sendAndWait()
  }

  sendAndWait()
  return {
    receive(datagram) {
      if (isOver) return
      const packet = parseTransferPacket(datagram)
      if (packet?.kind === 'ack') acknowledge(packet.block)
      if (packet?.kind === 'error') {
        const { code, message } = packet
        const isProbe = awaited === 0 && (code === tftpErrors.optionsRefused || code === tftpErrors.undefined)
        end(isProbe ? { kind: 'probe' } : { kind: 'refused', code, message })
      }
    },
    stop: () => end({ kind: 'refused', code: tftpErrors.undefined, message: 'the server stops' }),
  }
}
