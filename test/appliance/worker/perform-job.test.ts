import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, readdir, readFile, readlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isAttachmentTag } from '../../../server/image-store/attachment-tag.ts'
import { openBenchMachine, smallJob, type BenchMachine } from './bench-machine.ts'
import { openGate } from './gate.ts'
import { machine, openJobServer, until, type JobServer } from './job-server.ts'

/*
 * Whole jobs by real workers in processes of their own, on a real block device and against real job servers, while things go wrong.
 */

const limitMs = 300_000

/** Runs until the test makes the file `/go` in the installed system; meanwhile it writes to the disk, and so does a service that outlives it. */
const waitsForGo = `
setsid sh -c 'while :; do date >>/written-by-service; sleep 0.05; done' </dev/null >/dev/null 2>&1 &
echo waiting
while [ ! -e /go ]; do date >>/written; sleep 0.05; done
echo going on
`
const isThere = (path: string) => access(path).then(() => true, () => false)
const begun = (bench: BenchMachine) => until(() => isThere(join(bench.target, 'written-by-service')))
const isPerformed = (server: JobServer, job: string) => isThere(join(server.directory, 'performed', `${job}.json`))
const stateOf = async (server: JobServer, job: string) => ((await server.ask('GET', `/jobs/${job}.json`)) as { job: { state: string } }).job.state
const attemptsOf = async (server: JobServer, job: string) => ((await server.ask('GET', `/jobs/${job}.json`)) as { attempts: { loss: string }[] }).attempts

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of createReadStream(path)) hash.update(bytes as Buffer)
  return hash.digest('hex')
}

/** Programs that live in the installed system. */
async function programsIn(folder: string): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const roots = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/root`).catch(() => '')))
  return pids.filter((_, index) => roots[index]!.startsWith(folder))
}

/** Nothing of a job goes on: no program, no mount, no byte on the disk. */
async function expectStandstill(bench: BenchMachine): Promise<void> {
  await until(async () => (await bench.mounts()).length === 0)
  expect(await programsIn(bench.target)).toEqual([])
  // The kernel may still write out what it was given before.
  await until(async () => {
    const before = await digestOf(bench.diskFile)
    await new Promise((resolve) => setTimeout(resolve, 500))
    return (await digestOf(bench.diskFile)) === before
  })
}

test('B20-B23 a job whose server is restarted in the middle is performed by HTTPS, and its log is whole and in order', { timeout: limitMs }, async () => {
  const server = await openJobServer({ tls: true })
  const bench = await openBenchMachine()
  const count = 300
  await server.addJob({ id: 'a' }, await smallJob(server.components, `for i in $(seq ${count}); do echo "line $i"; sleep 0.01; done`))
  await bench.startWorker(server)
  await until(async () => (await server.log('a').catch(() => '')).toString().includes('line 20\n'))
  await server.stop()
  // Longer than the rest of the script takes: it ends while the server is away.
  await new Promise((resolve) => setTimeout(resolve, 4000))
  await server.start()
  await until(() => isPerformed(server, 'a'))
  const log = await server.log('a')
  expect(log.split('\n').filter((line) => line.startsWith('line '))).toEqual(Array.from({ length: count }, (_, index) => `line ${index + 1}`))
  expect(log).toContain('== step 4 of 4: image')
  const { tags } = (await server.ask('GET', '/v2/r/tags/list')) as { tags: string[] }
  expect(tags.filter((tag) => !isAttachmentTag(tag))).toEqual(['a'])
  await expectStandstill(bench)
})

test('F5 a job that is cancelled stops within a heartbeat with all its programs, the disk is left alone, and the next job begins', { timeout: limitMs }, async () => {
  const server = await openJobServer()
  const bench = await openBenchMachine()
  await server.addJob({ id: 'a' }, await smallJob(server.components, waitsForGo))
  const worker = await bench.startWorker(server)
  await begun(bench)
  expect(await programsIn(bench.target)).not.toEqual([])
  await server.ask('POST', '/jobs/a/cancel')
  await expectStandstill(bench)
  expect(await stateOf(server, 'a')).toBe('cancelled')
  expect(worker.output()).toContain('"state":"lost"')

  await server.addJob({ id: 'b' }, await smallJob(server.components, 'echo short'))
  await until(() => isPerformed(server, 'b'))
})

test('F5 a worker whose job was reclaimed while the network was cut stops when it hears of it, and publishes nothing', { timeout: limitMs }, async () => {
  const server = await openJobServer()
  const gate = await openGate(server.url)
  const boot = await openJobServer({ others: [{ url: gate.url, credential: await server.tokens.create({ role: 'worker', name: machine }) }] })
  const bench = await openBenchMachine()
  // Marked scratch at the server of the job, not at the one it booted from.
  await bench.markScratch(server)
  await server.addJob({ id: 'a', silenceLimitSeconds: 2 }, await smallJob(server.components, waitsForGo))
  await bench.startWorker(boot)
  await begun(bench)
  gate.close()
  await until(async () => (await stateOf(server, 'a')) !== 'selected')
  expect(await attemptsOf(server, 'a')).toMatchObject([{ loss: 'silent' }])
  // All this time the job went on.
  expect(await programsIn(bench.target)).not.toEqual([])
  gate.open()
  await expectStandstill(bench)
  expect(await server.ask('GET', '/v2/r/tags/list')).toBe(404)
})

test('B9 a worker that hears nothing of its server stops when the time of the job is over', { timeout: limitMs }, async () => {
  const server = await openJobServer()
  const bench = await openBenchMachine()
  await server.addJob({ id: 'a', timeLimitSeconds: 8 }, await smallJob(server.components, waitsForGo))
  const worker = await bench.startWorker(server)
  await begun(bench)
  await server.stop()
  await expectStandstill(bench)
  expect(worker.output()).toContain('the time limit of the job is over')
})

test('F4 a job that fails while its server is away is told of when that is back', { timeout: limitMs }, async () => {
  const server = await openJobServer()
  const bench = await openBenchMachine()
  await server.addJob({ id: 'a' }, await smallJob(server.components, `${waitsForGo}\necho the reason >&2\nexit 3`))
  const worker = await bench.startWorker(server)
  await begun(bench)
  await server.stop()
  await writeFile(join(bench.target, 'go'), '')
  await expectStandstill(bench)
  await server.start()
  await until(async () => (await stateOf(server, 'a')) === 'failed')
  expect((await server.status('a')).failure).toMatchObject({ step: 'configure-script', exitCode: 3, lastLines: expect.arrayContaining(['the reason']) })
  expect((await server.log('a')).trimEnd().split('\n').at(-1)).toMatch(/^failed: .*exited with 3: the reason$/)
  await until(() => worker.output().includes('job ended'))
})

test('F4 a worker that is killed and started again ends what the first one left, gives the job back, and performs it', { timeout: limitMs }, async () => {
  const server = await openJobServer()
  const bench = await openBenchMachine()
  await server.addJob({ id: 'a' }, await smallJob(server.components, waitsForGo))
  const first = await bench.startWorker(server)
  await begun(bench)
  const left = await programsIn(bench.target)
  await first.kill()
  // The script runs others that come and go.
  expect((await programsIn(bench.target)).filter((pid) => left.includes(pid))).not.toEqual([])
  await bench.startWorker(server)
  await until(async () => (await server.ask('GET', '/jobs/a.json') as { attempts: unknown[] }).attempts.length === 1)
  expect((await programsIn(bench.target)).filter((pid) => left.includes(pid))).toEqual([])
  await until(async () => ((await server.ask('GET', '/jobs/a.json')) as { job: { attempt: number } }).job.attempt === 2)
  await begun(bench)
  await writeFile(join(bench.target, 'go'), '')
  await until(() => isPerformed(server, 'a'))
  const performed = JSON.parse(await readFile(join(server.directory, 'performed', 'a.json'), 'utf8')) as { history: { attempts: object[] } }
  expect(performed.history.attempts).toMatchObject([{ loss: 'given-back' }])
})

test('F4 a job that cannot even begin fails with the reason and does not stay claimed', { timeout: limitMs }, async () => {
  const server = await openJobServer()
  const bench = await openBenchMachine()
  const missing = { name: 'base', digest: `sha256:${'1'.repeat(64)}`, sizeBytes: 100 }
  const [partition] = await smallJob(server.components, '')
  await server.addJob({ id: 'a' }, [partition!, { kind: 'install-rootfs', component: missing }])
  await bench.startWorker(server)
  await until(async () => (await stateOf(server, 'a')) === 'failed')
  expect((await server.status('a')).failure).toMatchObject({ step: 'install-rootfs', message: expect.stringContaining('no component') })
  await expectStandstill(bench)
})
