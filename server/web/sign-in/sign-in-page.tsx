import { useState } from 'preact/hooks'
import { Mark } from '../parts/mark.tsx'
import { messageOf } from '../state/notices.ts'
import { signIn } from '../state/session.ts'

/** Asks for a token and signs in with it. */
export function SignInPage() {
  const [problem, setProblem] = useState<string | undefined>(undefined)
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    try {
      await signIn(String(new FormData(event.currentTarget as HTMLFormElement).get('token')))
    } catch (error) {
      setProblem(messageOf(error))
      setBusy(false)
    }
  }
  return (
    <main class="sign-in" id="main">
      <form onSubmit={(event) => void submit(event)}>
        <h1>
          <Mark /> Ingot
        </h1>
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" spellcheck={false} required autofocus aria-describedby="token-help token-problem" aria-invalid={problem !== undefined} />
        <p id="token-problem" class="problem" role="alert">
          {problem}
        </p>
        <button type="submit" class="primary" disabled={isBusy}>
          Sign in
        </button>
        <p id="token-help" class="muted">
          Made on the first computer: <code>ingot token create --role operator --data DIR</code>
        </p>
      </form>
    </main>
  )
}
