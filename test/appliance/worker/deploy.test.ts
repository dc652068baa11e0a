import { access, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from '../../../appliance/run.ts'
import { planDeploy } from '../../../images/plan-deploy.ts'
import type { Deploy } from '../../../images/deploy.ts'
import type { ImageConfig } from '../../../server/api/image.ts'
import { openMachineStore } from '../../../server/machine-store.ts'
import { openBenchMachine, smallJob, type BenchMachine } from './bench-machine.ts'
import { machine, openJobServer, until, type JobServer } from './job-server.ts'

/*
 * Jobs of kind deploy by real workers in processes of their own, onto real block devices and from a real server.
 */

const limitMs = 300_000
const mib = 1024 * 1024
const isThere = (path: string) => access(path).then(() => true, () => false)
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGk2h9mZ0w0o0000000000000000000000000000000 test'

/** Builds the image `r` by the job `a`. */
async function buildImage(server: JobServer): Promise<{ digest: string; config: ImageConfig }> {
  const bench = await openBenchMachine()
  const system = ['mkdir -p /root /etc/ssh', 'echo root:x:0:0:root:/root:/bin/sh >/etc/passwd', 'echo 127.0.0.1 localhost >/etc/hosts', 'echo old >/etc/ssh/ssh_host_rsa_key']
  await server.addJob({ id: 'a' }, await smallJob(server.components, system.join('\n')))
  const worker = await bench.startWorker(server)
  await until(() => isThere(join(server.directory, 'performed/a.json')))
  await worker.kill()
  const { imageDigest } = await server.status('a')
  const manifest = (await server.ask('GET', `/v2/r/manifests/${imageDigest}`)) as { config: { digest: string } }
  return { digest: imageDigest!, config: JSON.parse((await server.ask('GET', `/v2/r/blobs/${manifest.config.digest}`)) as string) as ImageConfig }
}

async function addDeploy(server: JobServer, id: string, deploy: Omit<Deploy, 'image'>, image: Awaited<ReturnType<typeof buildImage>>): Promise<void> {
  const { steps } = planDeploy({ image: 'r', ...deploy }, { name: 'r', version: 'a', ...image }, { name: '', digest: '', sizeBytes: 0 })
  await server.addJob({ id, deploy: { image: 'r', ...deploy } }, steps)
}

/** What lies in the root partition of a machine's disk. */
async function withRoot(bench: BenchMachine, look: (root: string) => Promise<void>): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'ingot-deployed-'))
  onTestFinished(() => rm(root, { recursive: true }))
  await run('mount', ['-o', 'ro', `${bench.device}p2`, root])
  try {
    await look(root)
  } finally {
    await run('umount', [root])
  }
}

test('an image is deployed to a larger disk, grown, given an identity, and its machine restarts into it', { timeout: limitMs }, async () => {
  const server = await openJobServer()
  const image = await buildImage(server)
  const bench = await openBenchMachine({ diskSizeBytes: 128 * mib })
  await addDeploy(server, 'b', { hostname: 'web-1.example', sshKeys: [key] }, image)
  const worker = await bench.startWorker(server)
  expect(await worker.ended).toBe(10)

  expect(await server.status('b')).toMatchObject({ state: 'performed', imageDigest: image.digest, imageVersion: 'b' })
  expect((await openMachineStore(server.directory).read(machine)).system).toMatchObject({ job: 'b', image: 'r', version: 'a', digest: image.digest })
  expect(await bench.mounts()).toEqual([])
  await run('e2fsck', ['-f', '-n', `${bench.device}p2`])
  await withRoot(bench, async (root) => {
    const read = (path: string) => readFile(join(root, path), 'utf8')
    expect(await read('etc/hostname')).toBe('web-1\n')
    expect(await read('etc/hosts')).toBe('127.0.0.1 localhost\n127.0.1.1 web-1.example web-1\n')
    expect(await read('root/.ssh/authorized_keys')).toBe(`${key}\n`)
    expect((await stat(join(root, 'root/.ssh/authorized_keys'))).mode & 0o777).toBe(0o600)
    expect(await read('etc/machine-id')).toMatch(/^[0-9a-f]{32}\n$/)
    expect(await isThere(join(root, 'etc/ssh/ssh_host_rsa_key'))).toBe(false)
    const sizeBytes = Number(await run('findmnt', ['--bytes', '--noheadings', '--output', 'SIZE', root]))
    expect(sizeBytes).toBeGreaterThan(100 * mib)
  })
})

test('F5 a deployment that is cancelled when it is written ends without a restart, and its machine does not count as deployed', { timeout: limitMs }, async () => {
  const server = await openJobServer()
  const image = await buildImage(server)
  const bench = await openBenchMachine({ diskSizeBytes: 128 * mib })
  await addDeploy(server, 'b', {}, image)
  const worker = await bench.startWorker(server)
  await until(async () => worker.output().includes('"msg":"this disk is written"'))
  await server.ask('POST', '/jobs/b/cancel')
  await until(() => worker.output().includes('"msg":"job ended"'))
  expect(worker.output()).toContain('"state":"lost"')
  expect((await openMachineStore(server.directory).read(machine)).system).toBeUndefined()
  expect(await bench.mounts()).toEqual([])
  // It goes on as a worker.
  await server.addJob({ id: 'c' }, await smallJob(server.components, 'true'))
  await until(() => isThere(join(server.directory, 'performed/c.json')))
})
