import { join } from 'node:path'
import type { Run } from '../../../../appliance/run.ts'
import { atClients, benchNetwork } from '../bench-network.ts'
import type { StormResult, StormTask } from './storm-task.ts'

/** Powers so many simulated machines on at once, and waits until each has its boot script. Throws when one is refused. */
export async function measureStorm(machines: number, run: Run): Promise<StormResult> {
  const { address: server, clientAddress, clientInterface } = benchNetwork
  const task: StormTask = { machines, server, clientAddress, clientInterface }
  const [program, ...inNamespace] = atClients
  const output = await run(program, [...inNamespace, process.execPath, join(import.meta.dirname, 'storm.ts'), JSON.stringify(task)], { timeoutMs: 120_000 })
  return JSON.parse(output.slice(output.lastIndexOf('\n') + 1)) as StormResult
}
