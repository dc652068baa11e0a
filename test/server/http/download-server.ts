import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import pino from 'pino'
import { onTestFinished } from 'vitest'
import { createApp } from '../../../server/http/app.ts'
import { imageDownloadRoutes } from '../../../server/http/routes/image-downloads.ts'
import { tokenAuthorize } from '../../../server/http/token-authorize.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { openTokens, type Tokens } from '../../../server/tokens.ts'
import { makeFolder, publishShape, type Published, type Shape } from '../image-store/export/exported-image.ts'
import { chunkSizeBytes } from '../image-store/sample-image.ts'

/** A disk that ends inside a sector's worth of its last chunk, with gaps between its chunks. */
export const downloadShape: Shape = { diskSizeBytes: 9 * 1024 * 1024 + 1536, chunkSizeBytes, used: [0, 1, 3, 6, 9] }

export interface DownloadServer extends Published {
  url: string
  directory: string
  tokens: Tokens
  operator: string
  viewer: string
  /** What it logs, line by line. */
  lines: string[]
}

/** A server of downloads on a port of its own, with the image `debian-12:job-1` and the credentials of an operator and a viewer. Goes with the test. */
export async function startDownloadServer(): Promise<DownloadServer> {
  const directory = await makeFolder()
  const store = await openImageStore(join(directory, 'images'))
  const published = await publishShape(downloadShape, store)
  const tokens = openTokens(directory)
  const operator = await tokens.create({ role: 'operator', name: 'operator' })
  const viewer = await tokens.create({ role: 'viewer', name: 'viewer' })
  const lines: string[] = []
  const log = pino({ level: 'info' }, new Writable({ write: (line, _, done) => (lines.push(String(line)), done()) }))
  const app = createApp({ log })
  // Masters look for it.
  app.get('/v2/', () => ({}))
  await app.register(imageDownloadRoutes, { store, authorize: tokenAuthorize(tokens) })
  await app.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => app.close())
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  return { ...published, url, directory, tokens, operator, viewer, lines }
}
