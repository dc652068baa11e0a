import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostgresJobStore } from '../../../server/jobs/postgres/open-postgres-job-store.ts'
import { startPostgres, type TestPostgres } from '../../helpers/postgres.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres.remove())

const ids = Array.from({ length: 300 }, (_, index) => `job-${index}`)

test('images of hundreds of jobs are kept by one server at once, over one connection; another gets them once they are let go, or the server ends', async () => {
  const url = await postgres.createDatabase()
  const [one, two] = [await openPostgresJobStore({ url }), await openPostgresJobStore({ url })]
  try {
    const holds = await Promise.all(ids.map(one.holdProof))
    expect(holds).not.toContain(undefined)
    expect((await Promise.all([one, two].map(({ holdProof }) => holdProof('job-7')))).map((hold) => hold?.letGo)).toEqual([undefined, undefined])

    await holds[7]!.letGo()
    const taken = await two.holdProof('job-7')
    expect(taken).toBeDefined()
    expect(await one.holdProof('job-7')).toBeUndefined()

    await one.close()
    expect(await two.holdProof('job-8')).toBeDefined()
    await taken!.letGo()
  } finally {
    await Promise.all([one, two].map((store) => store.close().catch(() => {})))
  }
})
