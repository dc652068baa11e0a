/** An answer that refuses a request, sent as problem details (RFC 9457): what was wrong, in words that help the one who asked. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem'
  readonly status: number
  readonly problems: readonly string[]

  constructor(status: number, message: string, problems: readonly string[] = []) {
    super(message)
    this.status = status
    this.problems = problems
  }
}

/** What a refusal is called, by its status: programs go by this and people by the title. The names never change. */
const problemNames: Readonly<Record<number, string>> = {
  400: 'request-invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  410: 'gone',
  412: 'precondition-failed',
  413: 'too-large',
  414: 'too-large',
  415: 'media-type-unsupported',
  416: 'range-not-satisfiable',
  428: 'precondition-required',
  429: 'too-many-requests',
  431: 'too-large',
  500: 'internal',
  502: 'upstream-failed',
  503: 'unavailable',
  507: 'storage-full',
  508: 'loop',
}

/** The body of a refusal, for example `{ "type": "urn:ingot:problem:not-found", "title": "no job 'a' is listed", "status": 404, "instance": "urn:uuid:…" }`. */
export interface ProblemDetails {
  type: string
  title: string
  status: number
  /** Names this one answer; the log of the server has it too. */
  instance: string
  /** One for each thing that is wrong, with its field, when there are several or fields to name. */
  problems?: readonly string[]
}

/** The `type` of a refusal (RFC 9457, 3.1.1): a URN, because an address would have to be kept for ever. */
export const problemType = (status: number): string => `urn:ingot:problem:${problemNames[status] ?? (status < 500 ? 'request-invalid' : 'internal')}`

/** Each type that there is, once, with the statuses that it comes with. */
export function problemTypes(): Map<string, number[]> {
  const types = new Map<string, number[]>()
  for (const status of Object.keys(problemNames).map(Number)) types.set(problemType(status), [...(types.get(problemType(status)) ?? []), status])
  return types
}

/** `requestId` is a UUID. */
export const renderProblemDetails = ({ status, title, problems = [] }: { status: number; title: string; problems?: readonly string[] }, requestId: string): ProblemDetails => ({
  type: problemType(status),
  title,
  status,
  instance: `urn:uuid:${requestId}`,
  ...(problems.length > 0 ? { problems } : {}),
})
