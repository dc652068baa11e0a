import { createdTokenSchema } from '../../api/token.ts'
import { auditSchema, healthSchema, overviewSchema, readinessSchema, sessionSchema, tokenListSchema } from './answers.ts'
import { content, json, nothing, type RouteDescriptions } from './route-description.ts'

/** What tells how the server is and what happens, and how a browser signs in. */
export const watchingDescriptions: RouteDescriptions = {
  'GET /events': { tag: 'Watching', summary: 'What happens to the machines, as server-sent events; `Last-Event-ID` takes a broken connection up again', access: 'look', answers: { 200: content('The events.', 'text/event-stream') } },
  'GET /overview.json': { tag: 'Watching', summary: 'All machines and the whole job list at once, with a revision as ETag', access: 'look', answers: { 200: json('The overview.', overviewSchema) } },
  'GET /overview/events': { tag: 'Watching', summary: 'The overview as server-sent events: a `snapshot`, then each `change`; `Last-Event-ID` goes on from a revision', access: 'look', answers: { 200: content('The events.', 'text/event-stream') } },
  'GET /': { tag: 'Watching', summary: 'The console', access: 'anyone', answers: { 200: content('The page.', 'text/html') } },
  'GET /console/:file': { tag: 'Watching', summary: 'A part of the console', access: 'anyone', answers: { 200: content('The part.', 'application/octet-stream') } },
  'GET /metrics': { tag: 'Watching', summary: 'Metrics for Prometheus; without a credential where `openMetrics` is configured', access: 'look', answers: { 200: content('The metrics.', 'text/plain') } },
  'GET /healthz': { tag: 'Watching', summary: 'Whether the process answers', access: 'anyone', answers: { 200: json('It does.', healthSchema) } },
  'GET /readyz': { tag: 'Watching', summary: 'Whether the server can do its work; 503 tells what it lacks', access: 'anyone', answers: { 200: json('It can.', readinessSchema) } },
  'GET /authority.crt': { tag: 'Watching', summary: 'The certificate of the authority that signs for this server, for clients of HTTPS', access: 'anyone', answers: { 200: content('The certificate, as PEM.', 'application/x-pem-file') } },
  'GET /openapi.json': { tag: 'Watching', summary: 'This description, as OpenAPI 3.1', access: 'anyone', answers: { 200: content('The document.', 'application/json') } },
  'GET /api': { tag: 'Watching', summary: 'This description, for people', access: 'anyone', answers: { 200: content('The page.', 'text/html') } },
  'GET /api.css': { tag: 'Watching', summary: 'How that page looks', access: 'anyone', answers: { 200: content('The style sheet.', 'text/css') } },
  'POST /session': { tag: 'Sessions', summary: 'Sign in with a browser: exchange a token for a cookie', access: 'anyone', answers: { 201: json('Who is signed in.', sessionSchema) } },
  'GET /session': { tag: 'Sessions', summary: 'Who asks', access: 'lookOrWork', answers: { 200: json('Whose credential it is.', sessionSchema) } },
  'GET /tokens.json': { tag: 'Tokens', summary: 'The credentials that have not ended, without themselves', access: 'administer', answers: { 200: json('The tokens, oldest first.', tokenListSchema) } },
  'POST /tokens': { tag: 'Tokens', summary: 'Make a credential', access: 'administer', answers: { 201: json('The token, which is shown this once.', createdTokenSchema) } },
  'DELETE /tokens/:id': { tag: 'Tokens', summary: 'End a credential and the sessions that were signed in with it', access: 'administer', answers: { 204: nothing('It is worth nothing any more.') } },
  'GET /audit.json': { tag: 'Tokens', summary: 'Who did what when, oldest first, always in pages', access: 'administer', answers: { 200: json('A page of the trail.', auditSchema) } },
  'DELETE /session': { tag: 'Sessions', summary: 'Sign out', access: 'anyone', answers: { 204: nothing('Nobody is signed in any more.') } },
}
