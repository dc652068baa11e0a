import { setTimeout as sleep } from 'node:timers/promises'
import { startImageServer } from './image-server.ts'

/*
 * A server of images in a process of its own, for tests that kill it: `node server-process.ts DIRECTORY`. Prints its address. Garbage collection runs
 * at any moment and gives nothing any grace, so that whatever can go wrong between it and a push does.
 */
const server = await startImageServer({ directory: process.argv[2]! })
process.stdout.write(`${server.url}\n`)
for (;;) {
  await sleep(Math.random() * 500)
  await server.store.registry.collectGarbage({ keepSince: new Date() })
}
