import type { Terms } from './negotiate.ts'
import { formatData, formatOptionAck, parseTransferPacket, tftpErrors } from './packets.ts'

/** How a transfer ended. */
export type TransferEnd =
  | { kind: 'complete' }
  /** The client only wanted the size: it refuses the OACK and asks again, as EDK2 does. */
  | { kind: 'probe' }
  | { kind: 'refused'; code: number; message: string }
  /** Nothing came for two minutes; `block` is the first that was not acknowledged, 0 the answer to the options. */
  | { kind: 'silence'; block: number }

export interface TransferOptions {
  /** Of the whole file. */
  bytes: Buffer
  terms: Terms
  send: (packet: Buffer) => void
  /** Some seconds have gone by without an acknowledgement of this block; told once, and the transfer may go on. */
  onStalled?: (block: number) => void
  onEnd: (end: TransferEnd) => void
}

/** Silence after which a client is given up. */
const giveUpMs = 120_000
const longestWaitMs = 16_000
/** The sendings of a block, after 1, 2 and 4 seconds, without an answer to which a client counts as stalled. */
const stalledTries = 3
/** The last block is not worth waiting for so long: many ROMs start what they loaded without acknowledging it. */
const lastBlockTries = 4

/**
 * Sends one file: RFC 1350 with the windows of RFC 7440. Blocks are counted from 1 without limit, so that files beyond 65,535 blocks go
 * through; a window goes out when the one before it is acknowledged or when time runs out, never for a duplicate ACK (the Sorcerer's Apprentice
 * bug, RFC 1123 section 4.2.3.1). Nothing is ever sent in answer to an ERROR.
 */
export function startTransfer({ bytes, terms, send, onStalled, onEnd }: TransferOptions): { receive(datagram: Buffer): void; stop(): void } {
  const { blockBytes, windowBlocks, accepted } = terms
  // A file that fills its last block ends with an empty one.
  const lastBlock = Math.floor(bytes.length / blockBytes) + 1
  const firstBlock = accepted.size > 0 ? 0 : 1
  let awaited = firstBlock
  let sentThrough = firstBlock - 1
  let tries = 0
  let silentMs = 0
  let timer: NodeJS.Timeout | undefined
  /** What `timer` waits. */
  let timedMs = 0
  let isOver = false
  let isStalled = false

  const end = (how: TransferEnd) => {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    onEnd(how)
  }

  /** Sends the window that begins with the block awaited. Block 0 is the OACK. */
  function sendWindow(): void {
    if (awaited === 0) {
      send(formatOptionAck(accepted))
      sentThrough = 0
      return
    }
    const through = Math.min(awaited + windowBlocks - 1, lastBlock)
    for (let block = awaited; block <= through; block++) send(formatData(block, bytes.subarray((block - 1) * blockBytes, block * blockBytes)))
    sentThrough = through
  }

  function sendAndWait(): void {
    const waitMs = Math.min(terms.timeoutMs * 2 ** tries, Math.max(longestWaitMs, terms.timeoutMs))
    // Making a timer anew for each block takes longer than sending it.
    if (waitMs === timedMs) timer?.refresh()
    else {
      clearTimeout(timer)
      timedMs = waitMs
      timer = setTimeout(onSilence, waitMs)
    }
    sendWindow()
  }

  function onSilence(): void {
    silentMs += timedMs
    tries += 1
    if (tries === stalledTries && sentThrough !== lastBlock && !isStalled) {
      isStalled = true
      onStalled?.(awaited)
    }
    if (sentThrough === lastBlock && tries >= lastBlockTries) end({ kind: 'complete' })
    else if (silentMs >= giveUpMs) end({ kind: 'silence', block: awaited })
    else sendAndWait()
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
