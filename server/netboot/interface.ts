import { Type, type Static } from 'typebox'
import { Check } from 'typebox/value'
import { CommandError, type Run } from '../../appliance/run.ts'
import { IngotError } from '../errors.ts'

/** What `ip -json address show` tells of an interface, as far as it is needed. */
const addressesSchema = Type.Array(
  Type.Object({
    ifname: Type.String(),
    flags: Type.Array(Type.String()),
    mtu: Type.Integer(),
    addr_info: Type.Array(
      Type.Object({ family: Type.String(), local: Type.Optional(Type.String()), prefixlen: Type.Optional(Type.Integer()) }),
    ),
  }),
)
type Addresses = Static<typeof addressesSchema>

export interface BootInterface {
  interfaceName: string
  address: string
  prefixLength: number
}

/**
 * Checks that the boot interface exists, is up and has the address, and returns its MTU.
 * Throws an `IngotError` `config-invalid` that tells what was seen instead and the command that mends it.
 */
export async function inspectInterface({ interfaceName, address, prefixLength }: BootInterface, run: Run): Promise<{ mtuBytes: number }> {
  const all = await listAddresses(run)
  const found = all.find(({ ifname }) => ifname === interfaceName)
  if (found === undefined) {
    const names = all.map(({ ifname }) => ifname).join(', ')
    throw new IngotError('config-invalid', `interface: expected a network interface of this host, got ${interfaceName}; it has ${names}`)
  }
  const wanted = `${address}/${prefixLength}`
  const has = found.addr_info.filter(({ family }) => family === 'inet').map(({ local, prefixlen }) => `${local}/${prefixlen}`)
  const problems = [
    ...(found.flags.includes('UP') ? [] : [`interface: ${interfaceName} is down; "ip link set ${interfaceName} up" brings it up`]),
    ...(has.includes(wanted)
      ? []
      : [
          `address: expected ${interfaceName} to have ${wanted}, it has ${has.join(', ') || 'none'}; "ip address add ${wanted} dev ${interfaceName}" gives it`,
        ]),
  ]
  if (problems.length > 0) throw new IngotError('config-invalid', problems.join('\n'), { problems })
  return { mtuBytes: found.mtu }
}

async function listAddresses(run: Run): Promise<Addresses> {
  let text: string
  try {
    text = await run('ip', ['-json', 'address', 'show'])
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new IngotError(
      'host-lacks',
      `the network interfaces cannot be listed: ${error.message}; "apt install iproute2" brings the program`,
      { cause: error },
    )
  }
  const content: unknown = JSON.parse(text)
  if (!Check(addressesSchema, content))
    throw new IngotError('host-lacks', 'the program "ip" answers in another form than iproute2 of Debian 12')
  return content
}
