import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, start } from '../../../appliance/run.ts'
import { openTokens } from '../../../server/tokens.ts'
import type { TestNetwork } from '../../helpers/test-network.ts'

const main = join(import.meta.dirname, '../../../server/main.ts')

interface Refusal {
  title?: string
  /** As a registry has it. */
  errors?: { message: string }[]
}
const titleOf = ({ title, errors }: Refusal): string | undefined => title ?? errors?.[0]?.message

/** What `require-https.test.ts` checks: a first computer that is asked by another machine, and by itself. */
export async function scenario(network: TestNetwork) {
  const data = join(network.directory, 'data')
  const config = join(network.directory, 'ingot.yaml')
  await writeFile(config, JSON.stringify({ data, listen: `${network.address}:8080` }))
  const up = Promise.withResolvers<string>()
  const server = await start(process.execPath, [main, 'serve', '--config', config], { onErrorLine: (line) => line.includes('first computer up') && up.resolve(line) })
  const ended = server.ended.then(({ lastLines }): never => {
    throw new Error(lastLines.join('\n'))
  })
  ended.catch(() => {})
  const { https, fingerprint } = JSON.parse(await Promise.race([up.promise, ended])) as { https: string; fingerprint: string }
  const token = await openTokens(data).create({ role: 'operator', name: 'test' })

  const other = await network.addClient('other', '02:00:00:00:00:01')
  await other.run('ip', ['address', 'add', `10.77.0.9/${network.prefixLength}`, 'dev', 'eth0'])
  const plain = `http://${network.address}:8080`
  const authority = join(network.directory, 'authority.crt')
  await other.run('curl', ['--silent', '--fail', '--output', authority, `${plain}/authority.crt`])

  /** Status, where it sends to, and what it says. */
  const askFrom = (run: typeof other.run) => async (url: string, ...options: string[]) => {
    const text = await run('curl', ['--silent', '--show-error', '--cacert', authority, '--write-out', '\n%{http_code} %{redirect_url}', ...options, url])
    const [status = '', to = ''] = text.slice(text.lastIndexOf('\n') + 1).split(' ')
    const body = text.slice(0, text.lastIndexOf('\n'))
    return { status: Number(status), to, title: body.startsWith('{') ? titleOf(JSON.parse(body) as Refusal) : undefined }
  }
  const fromOther = askFrom(other.run)
  const bearer = ['--header', `Authorization: Bearer ${token}`]
  const json = (value: object) => ['--header', 'Content-Type: application/json', '--data', JSON.stringify(value)]
  const answers = {
    plainWithToken: await fromOther(`${plain}/jobs.json`, ...bearer),
    plainWithCookie: await fromOther(`${plain}/jobs.json`, '--cookie', 'ingot-session=x'),
    plainTicket: await fromOther(`${plain}/credentials`, ...json({ ticket: 't' })),
    plainSignIn: await fromOther(`${plain}/session`, ...json({ token })),
    plainRegistry: await fromOther(`${plain}/v2/`, '--user', `any:${token}`),
    plainPage: await fromOther(`${plain}/`),
    plainHealth: await fromOther(`${plain}/healthz`),
    plainPackages: await fromOther(`${plain}/packages/none/x`),
    httpsWithToken: await fromOther(`${https}/jobs.json`, ...bearer),
    httpsRegistry: await fromOther(`${https}/v2/`, '--user', `any:${token}`),
    httpsPage: await fromOther(`${https}/`),
    fromItself: await askFrom(run)(`${plain}/jobs.json`, ...bearer),
  }
  server.kill('SIGTERM')
  return { https, fingerprint, answers, stopped: (await server.ended).exitCode, authority: await readFile(authority, 'utf8') }
}
