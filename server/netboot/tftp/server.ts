import { performance } from 'node:perf_hooks'
import type { Logger } from 'pino'
import { bindUdp } from '../udp.ts'
import { normaliseFileName, readBootFile, type FileMap } from './file-map.ts'
import { negotiate } from './negotiate.ts'
import { formatError, parseRequest, tftpErrors, type ReadRequest, type Request } from './packets.ts'
import { createRequestSocket, openTransferSocket, type Peer, type TransferSocket } from './sockets.ts'
import { startTransfer, type TransferEnd } from './transfer.ts'

/** A file that went through. */
export interface SentFile {
  file: string
  bytes: number
  ms: number
  /** Address of the machine. */
  address: string
}

/** What happens to a file on its way to the machine at `address`; see the hops of `MachineEvent`. */
export type TftpEvent =
  | { hop: 'tftp-asked'; file: string; found: boolean; address: string }
  | ({ hop: 'tftp' } & SentFile)
  | { hop: 'tftp-stalled'; file: string; block: number; asked: number; address: string }
  | { hop: 'tftp-refused'; file: string; message: string; address: string }

export interface TftpServerOptions {
  /** Address to serve on, for example `10.77.0.1`; answers come from it too. */
  address: string
  /** 69, or another in tests; 0 lets the system choose. */
  port?: number
  /** Of the boot interface; a block never exceeds it. */
  mtuBytes: number
  files: FileMap
  onEvent: (event: TftpEvent) => void
  log: Logger
}

/** A transfer under way. */
interface Slot {
  peer: Peer
  /** How often the machine asked, from this port. */
  asked: number
  stop: () => void
}

/** Transfers at once, in all and for one address, behind which there may be many machines. A request beyond is not answered: the client asks again. */
const mostTransfers = 1024
const mostTransfersOfOne = 64

/** Serves `files` read-only by TFTP. Throws an `IngotError` `port-in-use` when the port is taken. */
export async function startTftpServer({
  address,
  port = 69,
  mtuBytes,
  files,
  onEvent,
  log,
}: TftpServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const transfers = new Map<string, Slot>()
  let isClosing = false
  const requests = createRequestSocket((datagram, peer) => void answer(datagram, peer))
  try {
    await bindUdp(requests, { number: port, address, service: 'TFTP', likely: 'tftpd-hpa, atftpd or dnsmasq' })
  } catch (error) {
    requests.close()
    throw error
  }
  requests.on('error', (error) => log.error({ err: error }, 'the TFTP socket failed'))

  async function answer(datagram: Buffer, peer: Peer): Promise<void> {
    const request = parseRequest(datagram)
    if (request === undefined) return log.debug({ peer }, 'dropped a datagram that is no TFTP request')
    const key = `${peer.address}:${peer.port}`
    // The same request again from the same port is a retransmission; the transfer's own timer answers it.
    const underWay = transfers.get(key)
    if (underWay !== undefined) return void underWay.asked++
    const ofThisAddress = [...transfers.values()].filter((other) => other.peer.address === peer.address).length
    if (transfers.size >= mostTransfers || ofThisAddress >= mostTransfersOfOne)
      return log.warn({ peer }, 'TFTP request not answered: too many transfers under way')
    const slot: Slot = { peer, asked: 1, stop: () => undefined }
    transfers.set(key, slot)
    try {
      await serve(request, slot)
    } catch (error) {
      log.error({ err: error, peer, file: request.file }, 'the TFTP transfer failed')
    } finally {
      transfers.delete(key)
    }
  }

  async function serve(request: Request, slot: Slot): Promise<void> {
    const { peer } = slot
    let receive: (packet: Buffer) => void = () => undefined
    const socket = await openTransferSocket({
      peer,
      localAddress: address,
      onPacket: (packet) => receive(packet),
      onStranger: (stranger, refuse) => {
        log.debug({ peer, stranger }, 'a stranger wrote to a TFTP transfer')
        refuse(formatError(tftpErrors.unknownTransfer, 'unknown transfer'))
      },
      onError: (error) => log.debug({ err: error, peer }, 'the socket of a TFTP transfer failed'),
    })
    try {
      const bytes = await readRequested(request, peer, socket)
      if (bytes === undefined) return
      const startedAt = performance.now()
      const file = normaliseFileName(request.file)
      const onStalled = (block: number) => onEvent({ hop: 'tftp-stalled', file, block, asked: slot.asked, address: peer.address })
      const { promise: ended, resolve: onEnd } = Promise.withResolvers<TransferEnd>()
      const terms = negotiate((request as ReadRequest).options, { sizeBytes: bytes.length, mtuBytes })
      const transfer = startTransfer({ bytes, terms, send: (packet) => socket.send(packet), onStalled, onEnd })
      receive = (packet) => transfer.receive(packet)
      slot.stop = () => transfer.stop()
      if (isClosing) transfer.stop()
      tellEnd(await ended, {
        file,
        bytes: bytes.length,
        ms: Math.round(performance.now() - startedAt),
        address: peer.address,
      })
    } finally {
      socket.close()
    }
  }

  /** The file asked for, or undefined after the refusal has been sent. */
  async function readRequested(request: Request, peer: Peer, socket: TransferSocket): Promise<Buffer | undefined> {
    const refuse = (code: number, message: string) => {
      log.info({ peer, file: request.file, reason: message }, 'refused a TFTP request')
      socket.send(formatError(code, message))
      return undefined
    }
    if (request.kind === 'write') return refuse(tftpErrors.illegalOperation, 'this server takes no files')
    if (request.mode !== 'octet') return refuse(tftpErrors.illegalOperation, `only octet mode is served, not ${request.mode}`)
    const name = normaliseFileName(request.file)
    const file = files.get(name)
    const bytes = file && (await readBootFile(file, peer.address))
    onEvent({ hop: 'tftp-asked', file: name, found: bytes !== undefined, address: peer.address })
    // Always 1: shim maps 2, access violation, to a denial and starts MokManager.
    return bytes ?? refuse(tftpErrors.notFound, 'no such file')
  }

  function tellEnd(end: TransferEnd, sent: SentFile): void {
    switch (end.kind) {
      case 'complete':
        return onEvent({ hop: 'tftp', ...sent })
      case 'probe':
        return log.debug(sent, 'a client asked for the size of a file')
      case 'refused':
        log.info({ ...sent, code: end.code, message: end.message }, 'the client ended a TFTP transfer')
        return onEvent({ hop: 'tftp-refused', file: sent.file, message: end.message, address: sent.address })
      case 'silence':
        return log.warn(
          { ...sent, block: end.block },
          'a TFTP client fell silent: check that UDP to and from high ports passes the firewall',
        )
    }
  }

  return {
    port: requests.address().port,
    async close() {
      isClosing = true
      for (const { stop } of transfers.values()) stop()
      await new Promise<void>((resolve) => requests.close(() => resolve()))
    },
  }
}
