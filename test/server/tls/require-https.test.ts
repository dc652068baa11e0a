import { beforeAll, describe, expect, test } from 'vitest'
import { inNamespace, noNamespaces } from '../../helpers/namespace.ts'
import type { scenario } from './https-scenario.ts'

describe.skipIf(noNamespaces)('what comes by plain HTTP from another machine', () => {
  let seen: Awaited<ReturnType<typeof scenario>>
  beforeAll(async () => void (seen = await inNamespace(new URL('https-scenario.ts', import.meta.url), {}, { timeoutMs: 240_000 })), 250_000)

  test('the server says in one line of its log where it speaks HTTPS and by what it is known', () => {
    expect(seen).toMatchObject({ https: 'https://10.77.0.1:8443', fingerprint: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), stopped: 0 })
    expect(seen.authority).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
  })

  test('no credential is taken, and it is told where to go: token, cookie, password, ticket, sign-in', () => {
    const { plainWithToken, plainWithCookie, plainTicket, plainSignIn, plainRegistry } = seen.answers
    const title = 'a credential must not travel where others can read it: expected it by HTTPS, at https://10.77.0.1:8443, got it by plain HTTP'
    for (const answer of [plainWithToken, plainWithCookie, plainTicket, plainSignIn, plainRegistry]) expect(answer).toEqual({ status: 403, to: '', title })
  })

  test('a browser that wants the console is sent to HTTPS', () => {
    expect(seen.answers.plainPage).toMatchObject({ status: 307, to: 'https://10.77.0.1:8443/' })
    expect(seen.answers.httpsPage.status).toBe(200)
  })

  test('what firmware and apt fetch, and what is open anyway, is answered as ever', () => {
    expect(seen.answers.plainHealth.status).toBe(200)
    expect(seen.answers.plainPackages.status).toBe(404)
  })

  test('by HTTPS it is all there, to a client that trusts the authority', () => {
    expect(seen.answers.httpsWithToken.status).toBe(200)
    expect(seen.answers.httpsRegistry.status).toBe(200)
  })

  test('the host itself may go on asking by plain HTTP: nothing of that leaves it', () => expect(seen.answers.fromItself.status).toBe(200))
})
