import { writeSync } from 'node:fs'
import pino, { type Logger } from 'pino'

/**
 * The worker's own log: a line of JSON for each entry on standard output, which is the console of the machine, and to `onLine`. The appliance holds
 * pino's build for browsers (see `bundleWorker`), which is told here where to write.
 */
export const createConsoleLog = (onLine: (line: string) => void): Logger =>
  pino({
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: pino.stdSerializers.err },
    browser: {
      serialize: true,
      write(entry) {
        const line = JSON.stringify(entry)
        writeSync(1, `${line}\n`)
        onLine(line)
      },
    },
  })
