import type { KnownMachine } from './unmet-requirements.ts'

/** What is known of the machines, for the requirements of jobs. */
export interface MachineDirectory {
  read(id: string): Promise<KnownMachine>
  list(): Promise<KnownMachine[]>
}
