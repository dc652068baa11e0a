import pMap from 'p-map'
import { request } from 'undici'
import type { Start } from '../../../appliance/run.ts'
import type { JobListAnswer } from '../../../server/api/job.ts'
import type { BenchServer } from './job-server.ts'
import type { Claims } from './options.ts'
import { runLoad } from './run-load.ts'

/** Claims of one round: half of the short list, so that there is always a choice. */
const workers = 10
const claimsEach = 5

/** Claims some jobs of a list that stays as long as it is, and makes them available again. */
export async function measureClaimsOf({ url, workerToken, operatorToken }: BenchServer, start: Start): Promise<Claims> {
  const claims = await runLoad({ url, token: workerToken, processes: 1, workers, claimsEach }, start)
  const headers = { authorization: `Bearer ${operatorToken}` }
  const ask = async (method: 'GET' | 'POST', path: string): Promise<string> => {
    const { statusCode, body } = await request(`${url}${path}`, { method, headers })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${method} ${path}: ${statusCode} ${text}`)
    return text
  }
  const { jobs } = JSON.parse(await ask('GET', '/jobs.json?state=selected')) as JobListAnswer
  const free = async (id: string): Promise<void> => {
    await ask('POST', `/jobs/${id}/cancel`)
    await ask('POST', `/jobs/${id}/retry`)
  }
  await pMap(jobs, ({ id }) => free(id), { concurrency: 16 })
  return claims
}
