/** Answer to `POST /credentials`: the machine's own credential, and the job servers it walks in order, each with the credential to use there. */
export interface CredentialAnswer {
  /** The id that the first computer knows this machine by, for example `52-54-00-12-34-56`. */
  machine: string
  credential: string
  /** `fingerprint`: of the key, or the authority's key, by which a server of an `https:` address shows to be the one. */
  servers: { url: string; credential: string; fingerprint?: string }[]
}

/** Answer to `PUT /machines/<id>.json`. */
export interface MachineAnswer {
  /** Serial numbers of the machine's disks that may be written though they hold data (F1). */
  scratchSerials: string[]
  /**
   * Base of the package archive for apt, for example `http://10.77.0.1:8080/packages`; default `/packages` where the server was asked. Plain HTTP: what is in
   * it is signed, and a system that is just being installed knows no authority of ours.
   */
  packagesUrl?: string
}
