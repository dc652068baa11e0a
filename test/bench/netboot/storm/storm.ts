import { get } from 'node:http'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { run } from '../../../../appliance/run.ts'
import { optionCodes } from '../../../../server/netboot/dhcp/codes.ts'
import { openDhcpClient } from './dhcp-client.ts'
import { fetchByTftp } from './fetch-by-tftp.ts'
import type { StormResult, StormTask } from './storm-task.ts'

/*
 * A process that plays many machines which are powered on at the same moment. Each does what BIOS firmware and iPXE do: an address, iPXE by TFTP, the
 * address again as iPXE, the boot script by HTTP. Its argument is a `StormTask`, its output a `StormResult`.
 */

const { machines, server, clientAddress, clientInterface } = JSON.parse(process.argv[2]!) as StormTask

const firmware = [
  [optionCodes.vendorClass, Buffer.from('PXEClient:Arch:00000:UNDI:002001')],
  [optionCodes.clientArchitecture, Buffer.of(0, 0)],
] as const
/** iPXE's features: it has HTTP (its features.h, 0x13). */
const ipxe = [...firmware, [optionCodes.userClass, Buffer.from('iPXE')], [optionCodes.ipxe, Buffer.of(0x13, 1, 1)]] as const

const machineOf = (number: number): string => `02-00-00-00-${[number >> 8, number & 0xff].map((byte) => byte.toString(16).padStart(2, '0')).join('-')}`

const dhcp = await openDhcpClient(clientAddress)
// A machine takes its address only once it was given it: before, the server must find that nobody uses it.
const commands = new PassThrough()
const taking = run('ip', ['-batch', '-'], { input: commands })
let repeatedByTftp = 0

async function boot(machine: string): Promise<void> {
  const first = await dhcp.getAddress(machine, firmware)
  const { yiaddr: address } = first
  commands.write(`address add ${address}/32 dev ${clientInterface}\n`)
  const fetched = await fetchByTftp({ file: first.file, server: first.siaddr, address })
  repeatedByTftp += fetched.repeated
  const second = await dhcp.getAddress(machine, ipxe)
  if (second.yiaddr !== address) throw new Error(`${machine} was given ${second.yiaddr} after ${address}`)
  await fetchScript(second.file.replace('${netX/mac:hexhyp}', machine), address)
}

async function fetchScript(url: string, localAddress: string): Promise<void> {
  const script = await new Promise<string>((resolve, reject) => {
    get(url, { localAddress, agent: false }, (answer) => text(answer).then(resolve, reject)).once('error', reject)
  })
  if (!script.startsWith('#!ipxe')) throw new Error(`${url} is no script: ${script.slice(0, 200)}`)
}

const startedAt = performance.now()
const servedMs: number[] = []
await Promise.all(
  Array.from({ length: machines }, async (_, number) => {
    await boot(machineOf(number))
    servedMs.push(performance.now() - startedAt)
  }),
)
const result: StormResult = { allServedMs: Math.max(...servedMs), servedMs, repeated: { dhcp: dhcp.repeated(), tftp: repeatedByTftp } }
dhcp.close()
commands.end()
await taking
await run('ip', ['address', 'flush', 'dev', clientInterface, 'label', clientInterface, 'to', `${server.replace(/\.\d+\.\d+$/, '.0.0')}/17`])
process.stdout.write(`\n${JSON.stringify(result)}\n`)
