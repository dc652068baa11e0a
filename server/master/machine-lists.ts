import type { MachineRecord } from '../machine-store.ts'
import type { FirstComputerLink } from './first-computer-link.ts'
import { gather, type Gathered } from './gather.ts'

/** The machines that each first computer knows. */
export const machineLists = (links: readonly FirstComputerLink[], via: string | undefined): Promise<Gathered<MachineRecord[]>> =>
  gather(links, async (link) => (await link.ask<{ machines: MachineRecord[] }>('/machines.json', { role: 'operator', via })).machines)
