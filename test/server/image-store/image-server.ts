import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { claimHeader } from '../../../server/api/headers.ts'
import { createApp } from '../../../server/http/app.ts'
import { HttpProblem } from '../../../server/http/problem.ts'
import { ociRoutes } from '../../../server/http/routes/oci.ts'
import { openImageStore, type Image, type ImageStore } from '../../../server/image-store/open-image-store.ts'

export interface ImageServer {
  url: string
  store: ImageStore
  directory: string
  /** Claims that may write; take one out to end it. */
  claims: Set<string>
  published: Image[]
  close(): Promise<void>
}

/** The OCI endpoints on a port of their own over a new, empty store. The credential is `credential`, the claim `claim`. */
export async function startImageServer({ directory }: { directory?: string } = {}): Promise<ImageServer> {
  const path = directory ?? (await mkdtemp(join(tmpdir(), 'ingot-images-')))
  const store = await openImageStore(path)
  const claims = new Set(['claim'])
  const published: Image[] = []
  const app = createApp({ log: pino({ level: 'silent' }) })
  await app.register(ociRoutes, {
    store,
    authorize: async (request) => {
      if (request.headers.authorization !== 'Bearer credential') throw new HttpProblem(401, 'header Authorization: expected a credential')
      return { role: 'worker', name: 'test' }
    },
    mayPublish: async (request) => {
      if (!claims.has(String(request.headers[claimHeader]))) throw new HttpProblem(410, 'this claim has ended')
    },
    onPublished: async (image) => void published.push(image),
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    store,
    directory: path,
    claims,
    published,
    async close() {
      await app.close()
      await rm(path, { recursive: true })
    },
  }
}
