// The package `tftp2` as it comes, serving one file to the test that started this process.
import { createRequire } from 'node:module'
import type { Socket } from 'node:dgram'

const require = createRequire(import.meta.url)
const { createServer } = require('tftp2') as { createServer(): Socket & { listen(port: number): Promise<void> } }
const server = createServer()
server.on('get', (_client, send: (data: Buffer) => void) => send(Buffer.alloc(1000, 'x')))
server.on('put', (_client, receive: (push: () => void, done: () => void) => void) =>
  receive(
    () => undefined,
    () => undefined,
  ),
)
await server.listen(0)
process.send?.({ port: server.address().port })
