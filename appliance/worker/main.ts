import { readFile } from 'node:fs/promises'
import pino from 'pino'
import { run } from '../run.ts'
import { parseCommandLine } from './command-line.ts'
import { httpFetch } from './http-fetch.ts'
import { takeInventory } from './inventory.ts'
import { performJob } from './perform-job.ts'
import { runWorker, UnreachableError } from './worker.ts'

/*
 * The one program of the appliance, started by its init and again whenever it ends.
 * Exit codes: 75 (EX_TEMPFAIL of sysexits.h), no server can be reached: init boots the machine anew, with backoff. Any other: it died.
 */

declare const __INGOT_VERSION__: string
const workerVersion = typeof __INGOT_VERSION__ === 'string' ? __INGOT_VERSION__ : 'unbuilt'
const unreachableExitCode = 75

const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime })
const boot = parseCommandLine(await readFile('/proc/cmdline', 'utf8'))
log.info({ version: workerVersion, server: boot.server }, 'worker up')
try {
  await runWorker({
    boot,
    takeInventory: () => takeInventory({ run, bootMac: boot.bootMac, workerVersion }),
    fetch: httpFetch,
    perform: performJob,
    stateDirectory: '/run/ingot',
    log,
  })
} catch (error) {
  log.fatal({ err: error }, 'worker ends')
  process.exit(error instanceof UnreachableError ? unreachableExitCode : 1)
}
