import { appendFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Start } from '../../appliance/run.ts'
import { IngotError } from '../errors.ts'
import { rackNetwork } from '../rack/network.ts'
import type { DemoPaths } from './options.ts'

const port = 8080

export interface FirstComputerProcess {
  /** Where it speaks HTTPS, and by what it is known there. */
  address: { url: string; fingerprint: string }
  /** Rejects when it ends by itself, with its last line. */
  failed: Promise<never>
  stop(): Promise<void>
}

export interface FirstComputerProcessOptions {
  /** Further folders of recipes; absolute paths. */
  recipes: readonly string[]
  /** The UEFI machines that prove images have Secure Boot on. */
  secureBoot: boolean
  start: Start
  onPreparing: (line: string) => void
}

/** The program that a person would start: the demo runs the real `ingot serve`, in a process of its own. */
const entry = join(import.meta.dirname, '../main.ts')

/**
 * Starts `ingot serve` on the rack's network and waits until it is up. `onPreparing` is called with each line that tells how a component
 * is being built. Throws `IngotError` `demo-failed` when it ends instead.
 */
export async function startFirstComputerProcess(paths: DemoPaths, { recipes, secureBoot, start, onPreparing }: FirstComputerProcessOptions): Promise<FirstComputerProcess> {
  const config = {
    data: paths.data,
    listen: `${rackNetwork.address}:${port}`,
    // Nobody else is in the rack: no need to look for four seconds.
    netboot: { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199', allowOtherServers: true },
    // Every machine of the rack is ours.
    admit: 'all',
    appliance: paths.appliance,
    recipes,
    proof: { secureBoot },
  }
  await writeFile(paths.config, stringify(config))
  const up = Promise.withResolvers<FirstComputerProcess['address']>()
  const program = await start(process.execPath, [...process.execArgv, entry, 'serve', '--config', paths.config], {
    onErrorLine: (line) => {
      // At once, for when we are ended the next moment the log tells why.
      appendFileSync(paths.log, `${line}\n`)
      const { msg, line: detail, https, fingerprint } = parseLogLine(line)
      if (msg === 'first computer up' && https !== undefined && fingerprint !== undefined) up.resolve({ url: https, fingerprint })
      if (msg === 'preparing' && detail !== undefined) onPreparing(detail)
    },
  })
  let stopping = false
  const failed = program.ended.then(({ exitCode, signal, lastLines }): never => {
    const last = lastLines.map(readableLine).at(-1) ?? `exit code ${exitCode ?? signal}`
    throw new IngotError('demo-failed', stopping ? 'the first computer was stopped' : `the first computer ended: ${last}`, { problems: lastLines.map(readableLine) })
  })
  // Who waits for something else meets it there; who does not, has nothing to do with it.
  failed.catch(() => {})
  return {
    address: await Promise.race([up.promise, failed]),
    failed,
    stop: async () => {
      stopping = true
      program.kill('SIGTERM')
      await program.ended
    },
  }
}

interface LogLine {
  msg?: string
  line?: string
  https?: string
  fingerprint?: string
}

/** A line of pino's, or something else that a program wrote on standard error. */
function parseLogLine(line: string): LogLine {
  if (!line.startsWith('{')) return {}
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return {}
  }
}

const readableLine = (line: string): string => parseLogLine(line).msg ?? line
