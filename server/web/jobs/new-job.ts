import type { NewJob } from '../../api/job.ts'

/** A job as a form has it: fields by their path, empty ones left out, so that the server's own defaults hold. */
export function newJobOf(values: FormData): NewJob {
  const text = (path: string): string | undefined => String(values.get(path) ?? '').trim() || undefined
  const number = (path: string): number | undefined => (text(path) === undefined ? undefined : Number(text(path)))
  const given = <Value extends object>(object: { [Key in keyof Value]: Value[Key] | undefined }): Partial<Value> =>
    Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Value>
  const labels = Object.fromEntries((text('requires.labels') ?? '').split(/[\s,]+/).filter(Boolean).map((pair) => pair.split('=', 2)))
  const requires = given<NonNullable<NewJob['requires']>>({
    firmware: text('requires.firmware') as 'bios' | 'uefi' | undefined,
    architecture: undefined,
    memoryMiB: number('requires.memoryMiB'),
    diskGiB: number('requires.diskGiB'),
    diskCount: number('requires.diskCount'),
    labels: Object.keys(labels).length === 0 ? undefined : (labels as Record<string, string>),
    machines: undefined,
  })
  return given<NewJob>({
    ...{ recipe: text('recipe'), id: text('id'), priority: number('priority'), maxAttempts: number('maxAttempts') },
    ...{ cache: undefined, deploy: undefined, silenceLimitSeconds: undefined },
    timeLimitSeconds: number('timeLimitMinutes') === undefined ? undefined : number('timeLimitMinutes')! * 60,
    whenLost: text('whenLost') as 'reclaim' | 'remove' | undefined,
    assignedTo: text('assignedTo'),
    requires: Object.keys(requires).length === 0 ? undefined : requires,
  }) as NewJob
}
