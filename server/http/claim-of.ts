import type { FastifyRequest } from 'fastify'
import { claimHeader, jobHeader } from '../api/headers.ts'
import { HttpProblem } from './problem.ts'

/** The claim token of a request; throws 400 when there is none. */
export const claimOf = (request: FastifyRequest): string => {
  const claim = request.headers[claimHeader]
  if (typeof claim !== 'string') throw new HttpProblem(400, 'header Ingot-Claim: expected the token of the claim, got none')
  return claim
}

/** The job that a worker uploads for; throws 400 when it does not tell. */
export const jobOf = (request: FastifyRequest): string => {
  const job = request.headers[jobHeader]
  if (typeof job !== 'string') throw new HttpProblem(400, 'header Ingot-Job: expected the id of the job that this upload is for, got none')
  return job
}
