import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError } from '../../../../appliance/run.ts'
import type { TestClient } from '../../../helpers/test-network.ts'

/** What a DHCP client was given, or `none`. */
export type Given = Record<'ip' | 'mask' | 'router' | 'dns' | 'domain' | 'serverid' | 'lease', string> | 'none'

const fields = ['ip', 'mask', 'router', 'dns', 'domain', 'serverid', 'lease'] as const

/** Asks once with busybox's udhcpc, which takes the address that it is given; `more` are further arguments of it. */
export async function askByUdhcpc(client: TestClient, directory: string, more: readonly string[] = []): Promise<Given> {
  const script = join(directory, `udhcpc-${client.name}`)
  const given = join(directory, `given-${client.name}`)
  const lines = fields.map((field) => `echo "$${field}"`).join('; ')
  await writeFile(script, `#!/bin/sh\ncase $1 in bound) ip address replace $ip/$mask dev eth0; { ${lines}; } > ${given};; esac\n`)
  await chmod(script, 0o755)
  try {
    await client.run('udhcpc', ['-i', 'eth0', '-n', '-q', '-f', '-t', '2', '-T', '1', '-s', script, ...more])
  } catch (error) {
    if (error instanceof CommandError) return 'none'
    throw error
  }
  const values = (await readFile(given, 'utf8')).split('\n')
  return Object.fromEntries(fields.map((field, index) => [field, values[index] ?? ''])) as Given
}
