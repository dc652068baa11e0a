import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** Stands before a server and cuts its first connection once so many bytes of answer have passed; the next ones it leaves alone. Goes with the test. */
export async function cutOnce(url: string, afterBytes: number): Promise<string> {
  let isFirst = true
  const { port, hostname } = new URL(url)
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname)
    let left = isFirst ? afterBytes : Infinity
    isFirst = false
    client.on('error', () => server.destroy()).pipe(server)
    server.on('error', () => client.destroy()).on('close', () => client.destroy())
    server.on('data', (bytes: Buffer) => {
      if (left <= 0) return
      client.write(bytes.subarray(0, left))
      left -= bytes.length
      if (left <= 0) client.end(() => server.destroy())
    })
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  onTestFinished(() => void proxy.close())
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}
