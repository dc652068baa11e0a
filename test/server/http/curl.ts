import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../../appliance/run.ts'

export interface CurlAnswer {
  status: number
  /** Names in small letters. */
  headers: Record<string, string>
  body: Buffer
}

/** Asks with curl, as an operator who gives the credential as a password. `options` are curl's own; `body` is sent as it is. */
export async function curl(url: string, options: readonly string[] = [], body?: Uint8Array | string): Promise<CurlAnswer> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-curl-'))
  try {
    // Of its own curl would call it a form.
    const type = options.some((option) => option.startsWith('content-type:')) ? [] : ['--header', 'content-type: application/octet-stream']
    const sent = body === undefined ? [] : [...type, '--data-binary', `@${join(folder, 'sent')}`]
    if (body !== undefined) await writeFile(join(folder, 'sent'), body)
    const to = join(folder, 'body')
    const head = await run('curl', ['--silent', '--show-error', '--user', 'any:operator', '--dump-header', '-', '--output', to, ...sent, ...options, url])
    const last = head.trim().split(/\r?\n\r?\n/).at(-1)!
    const [first = '', ...lines] = last.split(/\r?\n/)
    const headers = Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
    return { status: Number(first.split(' ')[1]), headers, body: await readFile(to).catch(() => Buffer.alloc(0)) }
  } finally {
    await rm(folder, { recursive: true })
  }
}
