import { computed, signal } from '@preact/signals'
import { ask, askJson, Refusal, whenSignedOut } from './ask.ts'

/** Who is signed in. */
export interface Session {
  role: string
  name: string
}

/** `undefined` until the server has said whether anybody is signed in, `null` when nobody is. */
export const session = signal<Session | null | undefined>(undefined)
/** Whether who is signed in may change anything, and may mark disks. */
export const mayChange = computed(() => session.value?.role === 'operator' || session.value?.role === 'admin')

whenSignedOut(() => (session.value = null))

export async function findSession(): Promise<void> {
  try {
    session.value = await askJson<Session>('/session')
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    session.value = null
  }
}

/** Exchanges a token for a cookie that no script can read. Throws `Refusal`. */
export async function signIn(token: string): Promise<void> {
  session.value = await askJson<Session>('/session', { method: 'POST', body: { token } })
}

export async function signOut(): Promise<void> {
  await ask('/session', { method: 'DELETE' })
  session.value = null
}
