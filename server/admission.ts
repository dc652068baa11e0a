import type { Logger } from 'pino'
import type { Emit } from './event-log.ts'
import { isAdmitted, type MachineRecord, type MachineStore } from './machine-store.ts'
import type { Tokens } from './tokens.ts'

/** Who wanders by is written down, but a flood of invented addresses must not fill the disk. */
const mostWaiting = 10_000

/** Which machines may have a credential, and who said so. */
export interface Admission {
  /** Whether a machine that asks now may have a ticket. */
  isAdmitted(machine: Pick<MachineRecord, 'admission' | 'inventory'>): boolean
  /** A machine asked that may not: it is written down, and told of once until somebody decides. */
  wait(machine: string, address: string): Promise<void>
  /** A machine that may have a ticket asked; where every one may, that is written down as decided by the configuration. */
  note(machine: MachineRecord): Promise<void>
  admit(machine: string, by: string): Promise<MachineRecord>
  /** It gets no ticket, and what it was given is worth nothing from now on. */
  refuse(machine: string, by: string): Promise<MachineRecord>
}

export interface AdmissionOptions {
  machines: MachineStore
  tokens: Pick<Tokens, 'revokeMachine'>
  /** `all`: every machine that nobody refused. */
  policy: 'ask' | 'all'
  emit: Emit
  log: Logger
}

export function createAdmission({ machines, tokens, policy, emit, log }: AdmissionOptions): Admission {
  const set = (machine: string, state: 'waiting' | 'admitted' | 'refused', by?: string): Promise<MachineRecord> =>
    machines.setAdmission(machine, { state, at: new Date().toISOString(), ...(by === undefined ? {} : { by }) })
  const mayHave: Admission['isAdmitted'] = (machine) => isAdmitted(machine) || (policy === 'all' && machine.admission?.state !== 'refused')

  return {
    isAdmitted: mayHave,
    async wait(machine, address) {
      const { admission } = await machines.read(machine)
      if (admission?.state === 'waiting' || admission?.state === 'refused') return
      if ((await machines.count()) >= mostWaiting) return log.warn({ machine, address, mostWaiting }, 'a machine that is not admitted is not written down: there are too many')
      await set(machine, 'waiting')
      emit({ machine, hop: 'admission', state: 'waiting', address })
      log.info({ machine, address }, 'a machine waits to be admitted: ingot machine admit')
    },
    async note(machine) {
      if (!isAdmitted(machine)) await set(machine.id, 'admitted', 'configuration')
    },
    async admit(machine, by) {
      const record = await set(machine, 'admitted', by)
      emit({ machine, hop: 'admission', state: 'admitted', by })
      return record
    },
    async refuse(machine, by) {
      const record = await set(machine, 'refused', by)
      await tokens.revokeMachine(machine)
      emit({ machine, hop: 'admission', state: 'refused', by })
      return record
    },
  }
}
