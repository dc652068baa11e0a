/** How one transfer goes. */
export interface Terms {
  blockBytes: number
  /** Blocks sent before an acknowledgement is waited for. */
  windowBlocks: number
  /** First wait before a window is sent again. */
  timeoutMs: number
  /** The options accepted, for the OACK; empty when there is none to send. */
  accepted: ReadonlyMap<string, string>
}

/** A block without options: RFC 1350, section 2. */
const plainBlockBytes = 512
/** EDK2 asks for 4; more at once than this no switch need hold. */
const largestWindowBlocks = 32
/** IPv4, UDP and TFTP headers: a block that fits into one frame is not fragmented, which many ROMs cannot put together. */
const headerBytes = 32
const defaultTimeoutMs = 1000

/**
 * Answers a client's options: `blksize` (RFC 2348), `tsize` and `timeout` (RFC 2349), `windowsize` (RFC 7440). What is unknown or out of its
 * range is left out, as RFC 2347 says, and then holds as if not asked for.
 */
export function negotiate(options: ReadonlyMap<string, string>, { sizeBytes, mtuBytes }: { sizeBytes: number; mtuBytes: number }): Terms {
  const accepted = new Map<string, string>()
  const accept = (name: string, from: number, to: number, answer: (wanted: number) => number): number | undefined => {
    const text = options.get(name)
    if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
    const wanted = Number(text)
    if (wanted < from || wanted > to) return undefined
    accepted.set(name, String(answer(wanted)))
    return answer(wanted)
  }
  const blockBytes = accept('blksize', 8, 65464, (wanted) => Math.min(wanted, mtuBytes - headerBytes)) ?? plainBlockBytes
  accept('tsize', 0, Number.MAX_SAFE_INTEGER, () => sizeBytes)
  const timeoutSeconds = accept('timeout', 1, 255, (wanted) => wanted)
  const windowBlocks = accept('windowsize', 1, 65535, (wanted) => Math.min(wanted, largestWindowBlocks)) ?? 1
  return { blockBytes, windowBlocks, timeoutMs: timeoutSeconds === undefined ? defaultTimeoutMs : timeoutSeconds * 1000, accepted }
}
