import { performance } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import send from '@fastify/send'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { renderAutoexecScript } from '../../boot/ipxe-script.ts'
import { ipxeScriptUrl } from '../../boot/offer.ts'
import { HttpProblem } from '../http/problem.ts'
import { createBootScripts, type BootScriptsOptions } from './boot-scripts.ts'
import type { StaticFile } from './tftp/file-map.ts'

export interface BootRoutesOptions extends BootScriptsOptions {
  /** Paths of the appliance's parts on this host. */
  appliance: { kernel: string; initramfs: string; stage2: string }
  /** The files of TFTP, for firmware that boots by HTTP. */
  bootFiles: ReadonlyMap<string, StaticFile>
  machineAt: (ipv4: string) => string | undefined
}

const parts = [
  { url: '/boot/vmlinuz', part: 'kernel' },
  { url: '/boot/initramfs.img', part: 'initramfs' },
  { url: '/boot/stage2.squashfs', part: 'stage2' },
] as const

/** What machines fetch by HTTP on their way to the worker. No credential is asked for: firmware has none. */
export const bootRoutes: FastifyPluginAsync<BootRoutesOptions> = async (app, options) => {
  const { httpUrl, appliance, bootFiles, machineAt, emit } = options
  const bootScripts = createBootScripts(options)
  const machineOf = (request: FastifyRequest) => machineAt(request.ip.replace(/^::ffff:/, ''))

  app.get<{ Querystring: { mac?: string } }>('/boot/ipxe', async (request, reply) => {
    const { mac } = request.query
    reply.type('text/plain; charset=utf-8').header('cache-control', 'no-store')
    if (mac === undefined) return renderAutoexecScript(ipxeScriptUrl(httpUrl))
    if (!/^[0-9a-f]{2}(-[0-9a-f]{2}){5}$/.test(mac))
      throw new HttpProblem(400, `mac: expected a MAC address such as 52-54-00-12-34-56, got ${JSON.stringify(mac)}`)
    return bootScripts('ipxe', mac, request.ip.replace(/^::ffff:/, ''))
  })

  for (const { url, part } of parts) {
    app.get(url, async (request, reply) => {
      const startedAt = performance.now()
      // Asked for now: a connection that the machine has closed by the end tells no address any more.
      const machine = machineOf(request)
      const bytes = await sendFile(request, reply, { path: appliance[part] }, 'application/octet-stream')
      if (bytes > 0 && machine !== undefined) emit({ machine, hop: part, bytes, ms: Math.round(performance.now() - startedAt) })
    })
  }

  for (const [name, file] of bootFiles) {
    app.get(`/boot/${name}`, async (request, reply) => void (await sendFile(request, reply, file, contentTypeOf(name))))
  }
}

function contentTypeOf(name: string): string {
  if (name.endsWith('.efi')) return 'application/efi'
  return name.endsWith('.ipxe') ? 'text/plain; charset=utf-8' : 'application/octet-stream'
}

/**
 * Answers with a file, with ranges, ETag and HEAD, and returns the bytes that went out to a GET: 0 for anything else and for a connection
 * that broke off. Written to the socket past Fastify, which sends header names in lower case: there is firmware that looks for
 * `Content-Length` to the letter.
 */
async function sendFile(request: FastifyRequest, reply: FastifyReply, file: StaticFile, type: string): Promise<number> {
  const { statusCode, headers, stream } =
    'bytes' in file
      ? {
          statusCode: 200,
          headers: { 'Content-Length': String(file.bytes.length) },
          stream: Readable.from(request.method === 'HEAD' ? [] : [file.bytes]),
        }
      : await send(request.raw, encodeURI(file.path), { cacheControl: false, contentType: false, dotfiles: 'allow' })
  if (statusCode >= 500 || statusCode === 404) {
    stream.destroy()
    throw new Error(`${'path' in file ? file.path : request.url} cannot be read`)
  }
  reply.hijack()
  reply.raw.writeHead(statusCode, { 'Content-Type': type, ...headers })
  try {
    await pipeline(stream, reply.raw)
  } catch (error) {
    request.log.info({ err: error, url: request.url }, 'a machine broke off a download')
    return 0
  }
  return request.method === 'GET' && (statusCode === 200 || statusCode === 206) ? Number(headers['Content-Length']) : 0
}
