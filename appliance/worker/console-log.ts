import { writeSync } from 'node:fs'
import pino, { type Logger } from 'pino'

/**
 * The worker's own log: a line of JSON for each entry on standard output, which is the console of the machine. The appliance holds pino's build for
 * browsers (see `bundleWorker`), which is told here where to write.
 */
export const createConsoleLog = (): Logger =>
  pino({
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: pino.stdSerializers.err },
    browser: { serialize: true, write: (entry) => void writeSync(1, `${JSON.stringify(entry)}\n`) },
  })
