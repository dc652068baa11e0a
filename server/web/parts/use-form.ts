import { useState } from 'preact/hooks'
import { Refusal } from '../state/ask.ts'

/** A form that is sent as a whole: what the server finds wrong is told at the field that it names, and the rest above them. */
export function useForm(send: (values: FormData) => Promise<void>) {
  const [refusal, setRefusal] = useState<Refusal | undefined>(undefined)
  const [isBusy, setBusy] = useState(false)
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    setBusy(true)
    setRefusal(undefined)
    try {
      await send(new FormData(form))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      setRefusal(error)
    } finally {
      setBusy(false)
    }
  }
  const problems = refusal?.problems ?? []
  return {
    isBusy,
    onSubmit: (event: SubmitEvent) => void submit(event),
    /** What is wrong with the field of this path, for example `requires.memoryMiB`. */
    problemOf: (path: string): string | undefined => problems.find((each) => each.startsWith(`${path}:`)),
    refusal,
  }
}
