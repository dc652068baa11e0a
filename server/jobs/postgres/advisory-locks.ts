/** The first key keeps our locks apart from those of other programs in the same database: "ingo" in ASCII. */
const ours = 0x696e676f

/** Held by the server that changes the schema, and by the one that changes the user's order of the list. */
export const migrationLock = [ours, 1] as const
export const orderLock = [ours, 2] as const

/** The first key of locks on single jobs, whose second is made from the job's id: "ingp" in ASCII. Held by the server that proves the job's image. */
export const proofLocks = 0x696e6770
