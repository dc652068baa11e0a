import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A way to a PostgreSQL on which an answer can be lost after the server has done what it was asked. */
export interface LossyPostgres {
  url: string
  /** The next statement that holds `text` is done by the server, and then the connection breaks in place of the answer. Resolves when it was so. */
  loseAnswerTo(text: string): Promise<void>
  close(): Promise<void>
}

const socketName = '.s.PGSQL.5432'

/** `url` is that of a `TestPostgres`: the folder of its socket stands for the host. */
export async function startLossyPostgres(url: string): Promise<LossyPostgres> {
  const folder = decodeURIComponent(new URL(url).hostname)
  const directory = await mkdtemp(join(tmpdir(), 'ingot-lossy-'))
  const sockets = new Set<Socket>()
  let lose: { text: string; lost: () => void } | undefined

  const proxy = createServer((client) => {
    const server = connect(join(folder, socketName))
    let losing: (() => void) | undefined
    const end = (): void => {
      for (const socket of [client, server]) {
        sockets.delete(socket)
        socket.destroy()
      }
    }
    for (const socket of [client, server]) sockets.add(socket.on('error', end).on('close', end))
    client.on('data', (data: Buffer) => {
      if (lose !== undefined && data.includes(lose.text)) {
        losing = lose.lost
        lose = undefined
      }
      server.write(data)
    })
    // The server says nothing before it is done with all that it was sent at once, its commit included (PostgreSQL 15, 55.2.3).
    server.on('data', (data: Buffer) => {
      if (losing === undefined) return client.write(data)
      end()
      losing()
    })
  })
  await new Promise<void>((resolve) => proxy.listen(join(directory, socketName), resolve))
  return {
    url: url.replace(encodeURIComponent(folder), encodeURIComponent(directory)),
    loseAnswerTo: (text) => new Promise((lost) => (lose = { text, lost })),
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => proxy.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
}
