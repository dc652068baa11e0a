import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface DockerRegistry {
  url: string
  /** Where it keeps a blob. */
  blobPath: (digest: string) => string
  close(): Promise<void>
}

export const registryUser = { username: 'ingot', password: 'pass word' }
/** The same for the registry, as htpasswd -B writes it. */
const htpasswd = 'ingot:$2y$05$.gxg7W0qX.25IQvdJhwzweYWbVlkq24654.EGDydbiGR6Jzwzr6dm\n'

/** Debian's docker-registry on a port of its own, empty, for `registryUser`, or for anyone with `open`. */
export async function startDockerRegistry({ open = false }: { open?: boolean } = {}): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'ingot-docker-registry-'))
  const data = join(directory, 'data')
  const auth = open ? {} : { auth: { htpasswd: { realm: 'test', path: join(directory, 'htpasswd') } } }
  const config = { version: '0.1', storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } }, http: { addr: '127.0.0.1:0', secret: 'x' }, ...auth }
  await writeFile(join(directory, 'htpasswd'), htpasswd)
  // JSON is YAML too.
  await writeFile(join(directory, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(directory, 'config.yml')], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = once(child, 'exit')
  const close = async () => {
    child.kill('SIGKILL')
    await ended
    await rm(directory, { recursive: true })
  }
  for await (const line of createInterface(child.stderr)) {
    const address = /listening on (127\.0\.0\.1:\d+)/.exec(line)?.[1]
    if (address === undefined) continue
    child.stderr.resume()
    const blobPath = (digest: string) => join(data, 'docker/registry/v2/blobs/sha256', digest.slice(7, 9), digest.slice(7), 'data')
    return { url: `http://${address}`, blobPath, close }
  }
  await close()
  throw new Error('docker-registry ended before it listened')
}
