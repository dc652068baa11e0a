import { randomInt } from 'node:crypto'
import { startImageServer } from './image-server.ts'

export interface ServerTask {
  directory: string
  /** Default any that is free. */
  port?: number
  /** Garbage collection runs at any moment and gives nothing any grace, so that whatever can go wrong between it and a push does. */
  collectsAlways?: boolean
}

/* A server of images in a process of its own, for tests that kill it: `node server-process.ts TASK_AS_JSON`. Prints its address. */
const { directory, port = 0, collectsAlways = false } = JSON.parse(process.argv[2]!) as ServerTask
// By requests and not by time, so that a slow machine collects at the same moments.
const untilNext = () => randomInt(1, 150)
let left = untilNext()
const server = await startImageServer({
  directory,
  port,
  onRequest: ({ registry }) => {
    if (!collectsAlways || --left > 0) return
    left = untilNext()
    void registry.collectGarbage({ keepSince: new Date() })
  },
})
process.stdout.write(`${server.url}\n`)
