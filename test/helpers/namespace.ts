import { fileURLToPath } from 'node:url'
import { CommandError, run } from '../../appliance/run.ts'

const runner = fileURLToPath(new URL('./namespace-runner.ts', import.meta.url))

/** Why tests in namespaces cannot run here, or undefined when they can: for `test.skipIf`. */
export const noNamespaces: string | undefined = process.getuid?.() === 0 ? undefined : 'network namespaces need root'

/**
 * Runs the `scenario` that a module exports (see `Scenario`) in network, mount and process namespaces of its own, and returns what it
 * returned, by way of JSON. Whatever the scenario leaves behind, the kernel takes away when it ends. Throws what the scenario threw.
 */
export async function inNamespace<Result>(module: URL, input: unknown = {}, { timeoutMs = 60_000 } = {}): Promise<Result> {
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc']
  const args = [...namespaces, process.execPath, runner, fileURLToPath(module), JSON.stringify(input)]
  const output = await run('unshare', args, { timeoutMs }).catch((error: unknown) => {
    if (error instanceof CommandError) throw new Error(`${error.message}\n${error.lastLines.join('\n')}`, { cause: error })
    throw error
  })
  return JSON.parse(output.slice(output.lastIndexOf('\n') + 1)) as Result
}
