/** What the storm's process gets as its argument. */
export interface StormTask {
  machines: number
  server: string
  /** Address and interface of the clients' end. */
  clientAddress: string
  clientInterface: string
}

/** What it prints. Times in milliseconds since all were powered on. */
export interface StormResult {
  /** When the last machine had its script. */
  allServedMs: number
  /** When each machine had its script, in no order. */
  servedMs: number[]
  /** Messages that had to be sent again, because no answer came in time. */
  repeated: { dhcp: number; tftp: number }
}
