/** What Ingot uses of the package `dhcp` 0.2.20, which brings no types. */
declare module 'dhcp/lib/protocol.js' {
  interface Header {
    op: number
    htype: number
    hlen: number
    hops: number
    xid: number
    secs: number
    flags: number
    ciaddr: string
    yiaddr: string
    siaddr: string
    giaddr: string
    /** `52-54-00-12-34-56`, upper case when parsed. */
    chaddr: string
    sname: string
    file: string
  }
  type Options = Record<number, number[]>
  interface SeqBuffer {
    _data: Buffer
    /** Where the next byte is written. */
    _w: number
    addOptions(options: Options): void
    addUInt8(value: number): void
  }
  const protocol: {
    /** Throws for a packet that is too short or not from Ethernet. */
    parse(buffer: Buffer): Header & { magicCookie: number; options: Options }
    format(packet: Header & { options: Options }): SeqBuffer
  }
  export default protocol
}

declare module 'dhcp/lib/options.js' {
  const options: { addOption(code: number, option: { name: string; type: 'UInt8s' }): void }
  export default options
}
