import type { FastifyReply } from 'fastify'
import { IngotError, type ErrorCode } from '../../errors.ts'
import { UploadOffsetError, UploadResumedError } from '../../image-store/upload-store.ts'
import { HttpProblem } from '../problem.ts'

/** Error codes of OCI distribution-spec 1.1, "Error Codes", with the status we send each with. */
const ociErrors = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  /** Not of the specification but of Docker's registry, for a wrong `n`. */
  PAGINATION_NUMBER_INVALID: 400,
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

/** What the store refuses, in terms of the specification. 507 is RFC 4918, 11.5. */
const refusals: Partial<Record<ErrorCode, { status: number; code: string }>> = {
  'blob-unknown': { status: 404, code: 'BLOB_UNKNOWN' },
  'blob-refused': { status: 400, code: 'DIGEST_INVALID' },
  'blob-too-large': { status: 413, code: 'SIZE_INVALID' },
  'image-unknown': { status: 404, code: 'MANIFEST_UNKNOWN' },
  'image-invalid': { status: 400, code: 'MANIFEST_INVALID' },
  'image-exists': { status: 409, code: 'DENIED' },
  'image-in-use': { status: 409, code: 'DENIED' },
  'storage-full': { status: 507, code: 'UNKNOWN' },
  'store-unreachable': { status: 502, code: 'UNKNOWN' },
}

/** Sends a refusal as the distribution specification has it: `{ "errors": [{ "code": "BLOB_UNKNOWN", "message": "…" }] }`. */
export function sendOciError(error: unknown, reply: FastifyReply): FastifyReply {
  const { status, code, problems = [] } = refusal(error)
  const isOurs = status < 500 || error instanceof IngotError
  const message = isOurs ? (error as Error).message : 'something went wrong inside; the log of the server tells what'
  // Registry clients give the credential as a password.
  if (status === 401) reply.header('www-authenticate', 'Basic realm="Ingot", charset="UTF-8"')
  return reply.code(status).type('application/json').send({ errors: [{ code, message, ...(problems.length > 0 ? { detail: problems } : {}) }] })
}

function refusal(error: unknown): { status: number; code: string; problems?: readonly string[] } {
  if (error instanceof OciError) return { status: ociErrors[error.code], code: error.code }
  if (error instanceof HttpProblem) return { status: error.status, code: error.status === 401 ? 'UNAUTHORIZED' : 'DENIED', problems: error.problems }
  if (error instanceof IngotError) return { ...(refusals[error.code] ?? { status: 500, code: 'UNKNOWN' }), problems: error.problems }
  if (error instanceof UploadOffsetError) return { status: 416, code: 'BLOB_UPLOAD_INVALID' }
  if (error instanceof UploadResumedError) return { status: 409, code: 'BLOB_UPLOAD_INVALID' }
  const status = (error as { statusCode?: number }).statusCode ?? 500
  return { status, code: status < 500 ? 'UNSUPPORTED' : 'UNKNOWN' }
}
