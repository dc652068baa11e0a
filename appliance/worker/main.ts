import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseCommandLine } from './command-line.ts'
import { createConsoleLog } from './console-log.ts'
import { httpFetch } from './http-fetch.ts'
import { createLogBuffer } from './log-buffer.ts'
import { createPinnedFetch } from './pinned-fetch.ts'
import { UnreachableError } from './unreachable-error.ts'
import { runWorker } from './worker.ts'

/*
 * The one program of the appliance, started by its init and again whenever it ends.
 * Exit codes: 10, an image was deployed: init boots the machine anew. 75 (EX_TEMPFAIL of sysexits.h), no server can be reached: init boots the machine anew, with backoff. Any other: it died.
 * What is imported in functions is loaded once a job is claimed: it takes a machine that has just booted most of a second.
 * Files are read and written synchronously until then: they are few and in memory, and for `node:fs/promises` Node would start its threads first.
 */

declare const __INGOT_VERSION__: string
const workerVersion = typeof __INGOT_VERSION__ === 'string' ? __INGOT_VERSION__ : 'unbuilt'
const restartExitCode = 10
const unreachableExitCode = 75
const stateDirectory = '/run/ingot'
const kernelLogPath = '/dev/kmsg'

/** `get-inventory` mounts the drivers of the disks once it has fetched them, and makes this file when they are loaded; a machine whose drivers hang is still told of, without those disks. */
const driversDirectory = '/inventory/lib'
const driversLoadedFile = '/run/ingot/drivers-loaded'
const driversLimitMs = 60_000

const lines = createLogBuffer({ limitBytes: 256 * 1024 })
const log = createConsoleLog((line) => lines.push(`worker: ${line}`))
const boot = parseCommandLine(readFileSync('/proc/cmdline', 'utf8'))
log.info({ version: workerVersion, server: boot.server }, 'worker up')

/** Only now, after the claim: on a machine of two processors, or one that shares them, the drivers would be in the way of Node, which is starting. */
async function loadDrivers(): Promise<void> {
  const { start } = await import('../run.ts')
  await start('get-inventory', [], { output: 'inherit' })
  while (!existsSync(driversDirectory)) await sleep(50)
  const startedAt = performance.now()
  while (!existsSync(driversLoadedFile)) {
    if (performance.now() - startedAt > driversLimitMs) return log.error({ limitMs: driversLimitMs }, 'the drivers of the disks are not loaded in time')
    await sleep(50)
  }
}

try {
  const end = await runWorker({
    boot,
    takeInventory: async () => {
      const [{ takeInventory }, { run }] = await Promise.all([import('./inventory.ts'), import('../run.ts'), loadDrivers()])
      return takeInventory({ run, bootMac: boot.bootMac, workerVersion })
    },
    readDisks: async () => {
      const [{ readDisks }, { run }] = await Promise.all([import('../disks/read-disks.ts'), import('../run.ts')])
      return readDisks({ run })
    },
    fetchBy: (fingerprint) => (fingerprint === undefined ? httpFetch : createPinnedFetch(fingerprint)),
    perform: async (options) => (await import('./perform-job.ts')).performJob({ ...options, kernelLogPath }),
    tellConsole: async (server, machine) => (await import('./tell-console.ts')).tellConsole({ server, machine, lines, kernelLogPath, log, signal: new AbortController().signal }),
    takeDown: async ({ claimId }) => {
      const { releaseTarget, targetDirectory } = await import('./release-target.ts')
      await releaseTarget({ claimId, directory: targetDirectory, log })
    },
    stateDirectory,
    log,
  })
  if (end === 'restart') process.exit(restartExitCode)
} catch (error) {
  log.fatal({ err: error }, 'worker ends')
  process.exit(error instanceof UnreachableError ? unreachableExitCode : 1)
}
