import { randomBytes, randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { checkStore } from '../../../server/image-store/check-store.ts'
import { openImageStore } from '../../../server/image-store/open-image-store.ts'
import { digestOf, makeSample, sampleConfig } from './sample-image.ts'
import { startServerProcess } from './start-server-process.ts'

const kills = process.env.INGOT_SLOW_TESTS === '1' ? 300 : 20
const chunkSizeBytes = 65_536
const credentials = { authorization: 'Bearer credential', 'ingot-claim': 'claim' }

/** An image of its own chunks and of some that all images share. */
const shared = Array.from({ length: 4 }, () => randomBytes(chunkSizeBytes))
const makeImage = () => {
  const chunks = [...shared, randomBytes(chunkSizeBytes), randomBytes(chunkSizeBytes)]
  const config = sampleConfig({ diskSizeBytes: 16 * chunkSizeBytes * 2, chunkSizeBytes, job: randomBytes(4).toString('hex') })
  return makeSample(chunks.map((bytes, index) => ({ offsetBytes: index * chunkSizeBytes, bytes })), config)
}

interface Pushing {
  url: string
  confirmed: Set<string>
  /** A version that no other push has. */
  next: () => string
  /** Called before each request. */
  onRequest: () => void
}

/** Pushes images one after another until the server is gone; tells those whose version was confirmed. */
const pushUntilGone = async ({ url, confirmed, next, onRequest }: Pushing): Promise<void> => {
  const ask: typeof fetch = (...request) => (onRequest(), fetch(...request))
  for (;;) {
    const version = next()
    const { blobs, bytes } = makeImage()
    try {
      for (const blob of blobs) {
        const path = `${url}/v2/debian-12/blobs/`
        const known = await ask(`${path}${digestOf(blob)}`, { method: 'HEAD', headers: credentials })
        if (known.status === 404) await ask(`${path}uploads/?digest=${digestOf(blob)}`, { method: 'POST', headers: credentials, body: blob })
      }
      const put = await ask(`${url}/v2/debian-12/manifests/${version}`, { method: 'PUT', headers: credentials, body: bytes })
      if (put.status === 201) confirmed.add(version)
    } catch {
      return
    }
  }
}

test(`F3 ${kills} times kill -9 during pushes and garbage collection: each version is whole or not there, and none that was confirmed is lost`, { timeout: kills * 10_000 }, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-crash-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const confirmed = new Set<string>()
  let count = 0
  for (let round = 0; round < kills; round++) {
    const { url, kill } = await startServerProcess({ directory, collectsAlways: true })
    onTestFinished(kill)
    // By requests and not by time, so that a slow machine is killed at the same moments; three images are some 40 of them.
    const killed = Promise.withResolvers<void>()
    let left = randomInt(1, 80)
    const onRequest = () => --left === 0 && killed.resolve(kill())
    const pushing = Array.from({ length: 3 }, () => pushUntilGone({ url, confirmed, next: () => `v${++count}`, onRequest }))
    await killed.promise
    await Promise.all(pushing)
    const report = await checkStore(directory)
    expect([report.problems, report.damaged, report.manifests.filter(({ problems }) => problems.length > 0)]).toEqual([[], [], []])
  }
  const store = await openImageStore(directory)
  onTestFinished(() => store.close())
  const versions = new Set((await store.list()).map(({ version }) => version))
  expect([...confirmed].filter((version) => !versions.has(version))).toEqual([])
  // Otherwise nothing was shown.
  expect(confirmed.size).toBeGreaterThan(kills / 4)
  await store.registry.collectGarbage({ keepSince: new Date() })
  const { orphans, whole } = await checkStore(directory)
  expect([orphans.count, whole]).toEqual([0, true])
})
