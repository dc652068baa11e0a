import { statusSchema } from '../../api/status.ts'
import { jobDetailsSchema, jobListSchema, listedJobSchema, performedListSchema, planSchema, recipeListSchema } from './answers.ts'
import { content, json, nothing, type RouteDescriptions } from './route-description.ts'

const changed = json('The job as it stands now.', listedJobSchema)

/** The list, and what an operator does to it. */
const list: RouteDescriptions = {
  'GET /jobs.json': { tag: 'Jobs', summary: 'The job list in its order. With `worker`: what that worker may take now, waiting for it as long as `Prefer: wait=25` asks', access: 'lookOrWork', answers: { 200: json('The list; a header `Link` leads to the next page.', jobListSchema) } },
  'GET /jobs/:id.json': { tag: 'Jobs', summary: 'All that is known of a job, also of one that has left the list', access: 'lookOrWork', answers: { 200: json('The job.', jobDetailsSchema) } },
  'GET /performed.json': { tag: 'Jobs', summary: 'The jobs that were performed', access: 'look', answers: { 200: json('The list; a header `Link` leads to the next page.', performedListSchema) } },
  'GET /recipes.json': { tag: 'Jobs', summary: 'The recipes that jobs can be made from', access: 'look', answers: { 200: json('Their names.', recipeListSchema) } },
  'POST /jobs': { tag: 'Jobs', summary: 'Put a job on the list, which builds a recipe or deploys an image. Answered when all that it needs is ready', access: 'change', answers: { 201: json('The job.', listedJobSchema) } },
  'PATCH /jobs/:id': { tag: 'Jobs', summary: 'Change what was chosen for a job; null takes a choice back to its default', access: 'change', answers: { 200: changed } },
  'POST /jobs/:id/move': { tag: 'Jobs', summary: 'Move a job on the list', access: 'change', answers: { 200: changed } },
  'POST /jobs/:id/assign': { tag: 'Jobs', summary: 'Push a job to a machine', access: 'change', answers: { 200: changed } },
  'POST /jobs/:id/retry': { tag: 'Jobs', summary: 'Make a job that failed, was cancelled or waits available now', access: 'change', answers: { 200: changed } },
  'POST /jobs/:id/cancel': { tag: 'Jobs', summary: 'Stop a job and keep it on the list, where nobody takes it', access: 'change', answers: { 200: changed } },
  'DELETE /jobs/:id': { tag: 'Jobs', summary: 'Take a job off the list for good', access: 'change', answers: { 204: nothing('It is off the list.') } },
  'GET /logs/:id.log': { tag: 'Jobs', summary: 'What the workers of a job said, from byte `offset` on', access: 'lookOrWork', answers: { 200: content('The log.', 'text/plain') } },
  'GET /schemas/jobs.json': { tag: 'Jobs', summary: 'JSON Schema of the file `jobs.json`', access: 'anyone', answers: { 200: content('The schema.', 'application/schema+json') } },
  'GET /schemas/status.json': { tag: 'Jobs', summary: 'JSON Schema of the status of a job', access: 'anyone', answers: { 200: content('The schema.', 'application/schema+json') } },
}

/** What the worker of a job does. */
const work: RouteDescriptions = {
  'GET /plans/:id.json': { tag: 'Workers', summary: 'The script of a job', access: 'lookOrWork', answers: { 200: json('The script.', planSchema) } },
  'GET /status/:id.json': { tag: 'Workers', summary: 'Who performs a job and how far it is; 404 says that it is available', access: 'lookOrWork', answers: { 200: json('The status, with its ETag.', statusSchema) } },
  'PUT /status/:id.json': {
    tag: 'Workers',
    summary: 'With `If-None-Match: *` claim a job, of all who do so one; with `If-Match` and `Ingot-Claim` report over that claim',
    access: 'work',
    answers: { 200: json('The status after a report, or of the same claim made before.', statusSchema), 201: json('The job is claimed; the header `Ingot-Claim` carries the token of the claim.', statusSchema) },
  },
  'DELETE /status/:id.json': { tag: 'Workers', summary: 'Give a job back', access: 'work', answers: { 204: nothing('It may be taken again.') } },
  'POST /logs/:id.log': { tag: 'Workers', summary: 'Add to the log of a job', access: 'work', answers: { 204: nothing('It is kept.') } },
  'GET /components/:digest': { tag: 'Workers', summary: 'What the script of a job names, in ranges too', access: 'lookOrWork', answers: { 200: content('The component.', 'application/octet-stream'), 206: content('The range.', 'application/octet-stream') } },
}

export const jobDescriptions: RouteDescriptions = { ...list, ...work }
