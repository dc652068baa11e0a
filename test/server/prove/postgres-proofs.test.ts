import { afterAll, beforeAll } from 'vitest'
import { openPostgresJobStore } from '../../../server/jobs/postgres/open-postgres-job-store.ts'
import { startPostgres, type TestPostgres } from '../../helpers/postgres.ts'
import { describeProofs } from './proof-scenarios.ts'

let postgres: TestPostgres
beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres?.remove())

describeProofs('PostgreSQL', async () => {
  const url = await postgres.createDatabase()
  return { open: () => openPostgresJobStore({ url, connections: 4 }) }
})
