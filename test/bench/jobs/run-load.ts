import { join } from 'node:path'
import type { Start } from '../../../appliance/run.ts'
import { mergeClaims, type Claims, type LoadTask } from './options.ts'

/** Workers in processes of their own, which begin together. Throws what the first of them that failed has said. */
export async function runLoad({ processes, workers, ...target }: Omit<LoadTask, 'firstWorker'> & { processes: number }, start: Start): Promise<Claims> {
  const each = Math.ceil(workers / processes)
  const loads = await Promise.all(
    Array.from({ length: processes }, async (_, index) => {
      const ready = Promise.withResolvers<void>()
      const done = Promise.withResolvers<Claims>()
      const task: LoadTask = { ...target, firstWorker: index * each, workers: Math.min(each, workers - index * each) }
      const load = await start(process.execPath, [join(import.meta.dirname, 'load.ts'), JSON.stringify(task)], {
        onMessage: (message) => (message === 'ready' ? ready.resolve() : done.resolve(message as Claims)),
      })
      const failed = load.ended.then(({ lastLines }) => Promise.reject(new Error(`a load process ended: ${lastLines.join('\n')}`)))
      await Promise.race([ready.promise, failed])
      return { load, claims: Promise.race([done.promise, failed]) }
    }),
  )
  for (const { load } of loads) load.send({})
  return mergeClaims(await Promise.all(loads.map(({ claims }) => claims)))
}
