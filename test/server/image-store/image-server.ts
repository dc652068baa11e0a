import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { claimHeader, jobHeader } from '../../../server/api/headers.ts'
import { createApp } from '../../../server/http/app.ts'
import type { Role } from '../../../server/api/role.ts'
import { HttpProblem } from '../../../server/http/problem.ts'
import { ociRoutes } from '../../../server/http/routes/oci.ts'
import type { LayoutRegistry } from '../../../server/image-store/layout-registry.ts'
import { openImageStore, type Image, type ImageStore } from '../../../server/image-store/open-image-store.ts'

const roles = new Map<string, Role>([
  ['Bearer credential', 'worker'],
  ['Bearer operator', 'operator'],
])

export interface ImageServer {
  url: string
  store: ImageStore & { registry: LayoutRegistry }
  directory: string
  /** Claims that may write; take one out to end it. */
  claims: Set<string>
  published: Image[]
  close(): Promise<void>
}

/**
 * The OCI endpoints on a port of their own over a store that is new and empty unless there is one. A worker's credential is `credential` and its claim
 * `claim`, on a job for the image `debian-12` if it says `ingot-job: debian`; an operator's is `operator`.
 */
export async function startImageServer({ directory, port = 0, onRequest }: { directory?: string; port?: number; onRequest?: (store: ImageServer['store']) => void } = {}): Promise<ImageServer> {
  const path = directory ?? (await mkdtemp(join(tmpdir(), 'ingot-images-')))
  const store = await openImageStore(path)
  const served = await serveImages(store, port, () => onRequest?.(store))
  return {
    ...served,
    store,
    directory: path,
    async close() {
      await served.close()
      store.close()
      if (directory === undefined) await rm(path, { recursive: true })
    },
  }
}

/** The same over any store. */
export async function serveImages(store: ImageStore, wantedPort = 0, onRequest = () => {}): Promise<Pick<ImageServer, 'url' | 'claims' | 'published' | 'close'>> {
  const claims = new Set(['claim'])
  const published: Image[] = []
  const app = createApp({ log: pino({ level: 'silent' }) })
  app.addHook('onRequest', async () => onRequest())
  await app.register(ociRoutes, {
    store,
    authorize: async (request, allowed) => {
      const role = roles.get(request.headers.authorization ?? '')
      if (role === undefined) throw new HttpProblem(401, 'header Authorization: expected a credential')
      if (!allowed.includes(role)) throw new HttpProblem(403, `this needs the role ${allowed.join(' or ')}`)
      return { role, name: 'test' }
    },
    mayPull: async () => {},
    mayPublish: async (request, name) => {
      if (request.headers.authorization === 'Bearer operator') return
      if (request.headers[jobHeader] === 'debian' && name !== 'debian-12') throw new HttpProblem(409, 'this job makes debian-12')
      if (!claims.has(String(request.headers[claimHeader]))) throw new HttpProblem(410, 'this claim has ended')
    },
    onReceived: async ({ name, version, digest }) => void published.push(await store.makeVisible(name, version, digest)),
  })
  await app.listen({ host: '127.0.0.1', port: wantedPort })
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    claims,
    published,
    close: () => app.close(),
  }
}
