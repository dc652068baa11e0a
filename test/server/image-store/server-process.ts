import { setTimeout as sleep } from 'node:timers/promises'
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
const server = await startImageServer({ directory, port })
process.stdout.write(`${server.url}\n`)
while (collectsAlways) {
  await sleep(Math.random() * 500)
  await server.store.registry.collectGarbage({ keepSince: new Date() })
}
