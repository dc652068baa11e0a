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
  interface SeqBuffer {
    /** 1500 bytes, of which those from `_w` on are 0. */
    _data: Buffer
    _w: number
  }
  const protocol: {
    /** Throws for a packet that is too short or not from Ethernet. */
    parse(buffer: Buffer): Header & { magicCookie: number }
    format(packet: Header & { options: object }): SeqBuffer
  }
  export default protocol
}
