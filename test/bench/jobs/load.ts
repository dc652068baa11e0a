import { Client, type Dispatcher } from 'undici'
import type { JobListAnswer } from '../../../server/api/job.ts'
import type { Claims, LoadTask } from './options.ts'

/*
 * A process of many workers, each with a connection of its own that is kept: asks which jobs it may take, claims the first, and again. Its argument is a
 * `LoadTask`, its output `Claims`; it begins when it is told to, so that all processes begin together.
 */

const { url, token, firstWorker, workers, claimsEach } = JSON.parse(process.argv[2]!) as LoadTask
const authorization = `Bearer ${token}`
const claims: Claims = { durationMs: 0, askAndClaimMs: [], claimMs: [], refused: 0 }

async function ask(client: Client, path: string, options: Pick<Dispatcher.RequestOptions, 'method' | 'headers' | 'body'>): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await client.request({ path, ...options })
  return { status: statusCode, text: await body.text() }
}

async function work(number: number): Promise<void> {
  const worker = `worker-${number}`
  const client = new Client(url)
  for (let made = 0; made < claimsEach; ) {
    const askedAt = performance.now()
    const list = await ask(client, `/jobs.json?worker=${worker}&limit=4`, { method: 'GET', headers: { authorization } })
    if (list.status !== 200) throw new Error(`GET /jobs.json: ${list.status} ${list.text}`)
    const offers = (JSON.parse(list.text) as JobListAnswer).jobs
    if (offers.length === 0) break
    for (const { id } of offers) {
      const startedAt = performance.now()
      const headers = { authorization, 'content-type': 'application/json', 'if-none-match': '*' }
      const claim = await ask(client, `/status/${id}.json`, { method: 'PUT', headers, body: JSON.stringify({ worker, server: url, state: 'claimed' }) })
      const endedAt = performance.now()
      if (claim.status === 201) {
        claims.askAndClaimMs.push(endedAt - askedAt)
        claims.claimMs.push(endedAt - startedAt)
        made++
        break
      }
      if (claim.status !== 412) throw new Error(`PUT /status/${id}.json: ${claim.status} ${claim.text}`)
      claims.refused++
    }
  }
  await client.close()
}

process.once('message', async () => {
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: workers }, (_, index) => work(firstWorker + index)))
  claims.durationMs = performance.now() - startedAt
  process.send!(claims, () => process.exit(0))
})
process.send!('ready')
