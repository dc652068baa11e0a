import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { askServer } from '../../http-client.ts'
import type { CommandContext } from '../context.ts'
import { machineId } from '../machine-id.ts'
import { serverAddress, withServerAndJson, type ServerOptions } from '../server-options.ts'

const lookEveryMs = 1000
const shownLines = 40

/** `ingot machine console`: what a machine says, also without a job. */
export const addMachineConsole = (machine: Command, { print, env, signal }: CommandContext): Command =>
  withServerAndJson(machine.command('console'))
    .description('Shows the end of what a machine said: its kernel and its worker, with a job and without one.')
    .argument('<machine>', 'id of the machine: its MAC address')
    .option('--all', `all that was kept, not only the last ${shownLines} lines`)
    .option('-f, --follow', 'go on as it comes, until Ctrl-C')
    .addHelpText('after', '\nExample:\n  ingot machine console 52-54-00-12-34-56 --follow')
    .action(async (name: string, options: ServerOptions & { all?: true; follow?: true }) => {
      const id = machineId(name)
      const address = serverAddress(options, { env, signal })
      const read = async (): Promise<string> => (await askServer(address, `/machines/${encodeURIComponent(id)}/console`, { signal })).text()
      const show = (lines: readonly string[]): void => {
        for (const line of lines) print(options.json === true ? JSON.stringify({ machine: id, line }) : line)
      }
      let text = await read()
      show(linesOf(text).slice(options.all === true ? 0 : -shownLines))
      if (options.follow !== true) return
      for (;;) {
        await sleep(lookEveryMs, undefined, { signal }).catch(() => {})
        if (signal.aborted) return
        const now = await read()
        show(linesOf(addedTo(text, now)))
        text = now
      }
    })

const linesOf = (text: string): string[] => (text === '' ? [] : text.trimEnd().split('\n'))

/** What came to a text of which the server keeps only the end; of that which is known the last 1,000 characters are looked for. */
export function addedTo(before: string, now: string): string {
  if (before === '') return now
  const known = before.slice(-1000)
  const at = now.lastIndexOf(known)
  return at === -1 ? now : now.slice(at + known.length)
}
