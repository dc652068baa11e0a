import { fileURLToPath } from 'node:url'
import { run } from '../../appliance/run.ts'

const runner = fileURLToPath(new URL('./namespace-runner.ts', import.meta.url))

/** Why tests in namespaces cannot run here, or undefined when they can: for `test.skipIf`. */
export const noNamespaces: string | undefined = process.getuid?.() === 0 ? undefined : 'network namespaces need root'

/**
 * Runs the `scenario` that a module exports (see `Scenario`) in network, mount and process namespaces of its own, and returns what it
 * returned, by way of JSON. Whatever the scenario leaves behind, the kernel takes away when it ends. Throws what the scenario threw.
 */
export async function inNamespace<Result>(module: URL, input: unknown = {}, { timeoutMs = 60_000 } = {}): Promise<Result> {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const output = await run('unshare', [...namespaces, process.execPath, runner, fileURLToPath(module), JSON.stringify(input)], { timeoutMs })
  return JSON.parse(output.slice(output.lastIndexOf('\n') + 1)) as Result
}
