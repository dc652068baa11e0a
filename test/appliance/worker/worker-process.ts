/*
 * A worker as a process of its own, whose disk, mount points and state are where the test says: node worker-process.ts FILE, which holds the options.
 * What it loads and does is what the appliance does.
 */
import { readFile } from 'node:fs/promises'
import { pino } from 'pino'
import { httpFetch } from '../../../appliance/worker/http-fetch.ts'
import { performJob } from '../../../appliance/worker/perform-job.ts'
import { createPinnedFetch } from '../../../appliance/worker/pinned-fetch.ts'
import { releaseTarget } from '../../../appliance/worker/release-target.ts'
import { runWorker } from '../../../appliance/worker/worker.ts'
import type { Inventory } from '../../../server/api/machine.ts'
import { loopDiskNow } from '../../helpers/loop-disk-now.ts'

export interface WorkerProcessOptions {
  server: string
  fingerprint?: string
  ticket: string
  stateDirectory: string
  directories: { target: string; tools: string }
  inventory: Inventory
}

const { server, fingerprint, ticket, stateDirectory, directories, inventory } = JSON.parse(await readFile(process.argv[2]!, 'utf8')) as WorkerProcessOptions
const log = pino({ base: null })
const end = await runWorker({
  boot: { server, ticket, ...(fingerprint === undefined ? {} : { fingerprint }) },
  takeInventory: async () => inventory,
  readDisks: async () => Promise.all(inventory.disks.map(({ device }) => loopDiskNow(device))),
  fetchBy: (pin) => (pin === undefined ? httpFetch : createPinnedFetch(pin)),
  perform: (options) => performJob({ ...options, directories }),
  takeDown: ({ claimId }) => releaseTarget({ claimId, directory: directories.target, log }),
  stateDirectory,
  log,
})
process.exitCode = end === 'restart' ? 10 : 0
