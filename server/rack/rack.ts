import type { Run, Start } from '../../appliance/run.ts'
import { accelerator as findAccelerator, type Accelerator } from './accelerator.ts'
import { startMachine, type Machine } from './machine.ts'
import type { MachineSpec } from './machine-spec.ts'
import { createNetwork } from './network.ts'

/** The virtual rack: a network of its own with the first computer on it, and machines that can be powered on. */
export interface Rack {
  /** What runs the machines of this rack. */
  readonly accelerator: Accelerator
  /** Powers a machine on; its console and UEFI variables are kept in `directory`. It is off at the end of `withRack` at the latest. */
  startMachine(spec: Omit<MachineSpec, 'accelerator'>, directory: string): Promise<Machine>
}

/**
 * Sets a rack up in the namespaces we are in (see `insideNamespace`), for example
 * `await withRack({ run, start }, async (rack) => { const machine = await rack.startMachine(spec, directory); … })`.
 */
export async function withRack<Result>({ run, start }: { run: Run; start: Start }, use: (rack: Rack) => Promise<Result>): Promise<Result> {
  const [accelerator] = await Promise.all([findAccelerator(run), createNetwork(run)])
  const machines = new Set<Machine>()
  try {
    return await use({
      accelerator,
      startMachine: async (spec, directory) => {
        const machine = await startMachine({ ...spec, accelerator }, { directory, run, start })
        machines.add(machine)
        void machine.ended.then(() => machines.delete(machine))
        return machine
      },
    })
  } finally {
    await Promise.all([...machines].map((machine) => machine.powerOff()))
  }
}
