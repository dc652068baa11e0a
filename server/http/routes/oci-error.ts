import type { FastifyReply } from 'fastify'
import { IngotError, type ErrorCode } from '../../errors.ts'
import { HttpProblem } from '../problem.ts'

/** Error codes of OCI distribution-spec 1.1, "Error Codes", with the status we send each with. */
const ociErrors = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 413,
  UNSUPPORTED: 405,
} as const
type OciErrorCode = keyof typeof ociErrors

/** A refusal with a code of the distribution specification. */
export class OciError extends Error {
  override readonly name = 'OciError'
  readonly code: OciErrorCode

  constructor(code: OciErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

const codeOf: Partial<Record<ErrorCode, OciErrorCode>> = {
  'blob-unknown': 'BLOB_UNKNOWN',
  'blob-refused': 'DIGEST_INVALID',
  'blob-too-large': 'SIZE_INVALID',
  'image-unknown': 'MANIFEST_UNKNOWN',
  'image-invalid': 'MANIFEST_INVALID',
}

/** Sends a refusal as the distribution specification has it: `{ "errors": [{ "code": "BLOB_UNKNOWN", "message": "…" }] }`. */
export function sendOciError(error: unknown, reply: FastifyReply): FastifyReply {
  const { status, code, problems } = refusal(error)
  const isOurs = status < 500 || error instanceof IngotError
  const message = isOurs ? (error as Error).message : 'something went wrong inside; the log of the server tells what'
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(status).type('application/json').send({ errors: [{ code, message, ...(problems.length > 0 ? { detail: problems } : {}) }] })
}

function refusal(error: unknown): { status: number; code: string; problems: readonly string[] } {
  if (error instanceof OciError) return { status: ociErrors[error.code], code: error.code, problems: [] }
  if (error instanceof HttpProblem) {
    return { status: error.status, code: error.status === 401 ? 'UNAUTHORIZED' : 'DENIED', problems: error.problems }
  }
  if (error instanceof IngotError) {
    if (error.code === 'image-exists') return { status: 409, code: 'DENIED', problems: [] }
    const code = codeOf[error.code]
    if (code === undefined) return { status: 500, code: 'UNKNOWN', problems: error.problems }
    return { status: ociErrors[code], code, problems: error.problems }
  }
  const status = (error as { statusCode?: number }).statusCode ?? 500
  return { status, code: status < 500 ? 'UNSUPPORTED' : 'UNKNOWN', problems: [] }
}
