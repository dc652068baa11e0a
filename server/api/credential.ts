/** Answer to `POST /credentials`: the machine's own credential, and the job servers it walks in order, each with the credential to use there. */
export interface CredentialAnswer {
  /** The id that the first computer knows this machine by, for example `52-54-00-12-34-56`. */
  machine: string
  credential: string
  servers: { url: string; credential: string }[]
}

/** Answer to `PUT /machines/<id>.json`: serial numbers of the machine's disks that may be written though they hold data (F1). */
export interface MachineAnswer {
  scratchSerials: string[]
}
