import { performance } from 'node:perf_hooks'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { renderAutoexecScript } from '../../boot/ipxe-script.ts'
import { ipxeScriptUrl } from '../../boot/offer.ts'
import { perMinute } from '../http/per-minute.ts'
import { ipv4Of } from '../http/ipv4-of.ts'
import { HttpProblem } from '../http/problem.ts'
import { createBootScripts, type BootScriptsOptions } from './boot-scripts.ts'
import { sendFile, type SentFile } from './send-file.ts'
import type { StaticFile } from './tftp/file-map.ts'

export interface BootRoutesOptions extends BootScriptsOptions {
  /** Paths of the appliance's parts on this host. */
  appliance: { kernel: string; initramfs: string; stage2: string; inventory: string }
  /** The files of TFTP, for firmware that boots by HTTP. */
  bootFiles: ReadonlyMap<string, StaticFile>
  machineAt: (ipv4: string) => string | undefined
  /** Why a machine cannot be the one that asks from an address; nothing where that is not known. */
  whyNotAt: (machine: string, ipv4: string) => string | undefined
}

const parts = [
  { url: '/boot/vmlinuz', part: 'kernel', hop: 'kernel' },
  { url: '/boot/initramfs.img', part: 'initramfs', hop: 'initramfs' },
  { url: '/boot/stage2.squashfs', part: 'stage2', hop: 'stage2' },
  // Fetched by the worker, which by then may hold a job: no hop of the way there.
  { url: '/boot/inventory.squashfs', part: 'inventory', hop: undefined },
] as const

/** What machines fetch by HTTP on their way to the worker. No credential is asked for: firmware has none. */
export const bootRoutes: FastifyPluginAsync<BootRoutesOptions> = async (app, options) => {
  const { httpUrl, appliance, bootFiles, machineAt, whyNotAt, emit } = options
  const bootScripts = createBootScripts(options)
  const addressOf = ({ ip }: FastifyRequest): string => ipv4Of(ip)
  const machineOf = (request: FastifyRequest) => machineAt(addressOf(request))

  app.get<{ Querystring: { mac?: string } }>('/boot/ipxe', { config: { rateLimit: perMinute(600) } }, async (request, reply) => {
    const { mac } = request.query
    reply.type('text/plain; charset=utf-8').header('cache-control', 'no-store')
    if (mac === undefined) return renderAutoexecScript(ipxeScriptUrl(httpUrl))
    if (!/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/.test(mac))
      throw new HttpProblem(400, `mac: expected a MAC address such as 52-54-00-12-34-56, got ${JSON.stringify(mac)}`)
    const address = addressOf(request)
    const why = whyNotAt(mac, address)
    if (why !== undefined) {
      emit({ machine: mac, hop: 'script-refused', address, why })
      request.log.warn({ machine: mac, address, why }, 'no boot script: somebody else asks in the name of a machine')
      throw new HttpProblem(403, `${address} asks what ${mac} is to boot, and ${why}`)
    }
    return bootScripts('ipxe', mac, address)
  })

  for (const { url, part, hop } of parts) {
    app.get(url, async (request, reply) => {
      const startedAt = performance.now()
      // Asked for now: a connection that the machine has closed by the end tells no address any more.
      const machine = machineOf(request)
      const sent = await sendFile(request, reply, { path: appliance[part] }, 'application/octet-stream')
      if (machine !== undefined && hop !== undefined) tell(sent, { machine, file: part, startedAt }, { hop })
    })
  }

  for (const [name, file] of bootFiles) {
    app.get(`/boot/${name}`, async (request, reply) => {
      const startedAt = performance.now()
      const machine = machineOf(request)
      const sent = await sendFile(request, reply, file, contentTypeOf(name))
      if (machine !== undefined) tell(sent, { machine, file: name, startedAt }, { hop: 'http', file: name })
    })
  }

  type Hop = { hop: Exclude<(typeof parts)[number]['hop'], undefined> } | { hop: 'http'; file: string }
  function tell(sent: SentFile | undefined, { machine, file, startedAt }: { machine: string; file: string; startedAt: number }, hop: Hop): void {
    if (sent === undefined) return
    if (sent.isWhole) emit({ machine, ...hop, bytes: sent.sizeBytes, ms: Math.round(performance.now() - startedAt) })
    else emit({ machine, hop: 'broken-off', file, bytes: sent.bytes, sizeBytes: sent.sizeBytes })
  }
}

function contentTypeOf(name: string): string {
  if (name.endsWith('.efi')) return 'application/efi'
  return name.endsWith('.ipxe') ? 'text/plain; charset=utf-8' : 'application/octet-stream'
}
