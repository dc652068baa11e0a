import { Worker } from 'node:worker_threads'

/** Threads that all perform the same kind of task, each one at a time. */
export interface Threads<Task, Answer> {
  /** Settles once a thread has done it; what is in `transfer` goes to that thread. Throws what any thread has thrown: then all of them are given up. */
  perform(task: Task, transfer?: readonly ArrayBuffer[]): Promise<Answer>
  close(): Promise<void>
}

export interface ThreadsOptions {
  /** File of the program; each message to it is a task, and each of its own the answer. What it throws ends it. */
  program: string
  count: number
  /** What a thread knows from the start. */
  workerData: unknown
}

interface Order<Task, Answer> {
  task: Task
  transfer: readonly ArrayBuffer[]
  resolve: (answer: Answer) => void
  reject: (error: unknown) => void
}

/** Of a heap that holds next to nothing; without limits V8 takes its time to clean it, at 7 MiB for each thread (measured). */
const resourceLimits = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 }

/**
 * Starts threads for chunks of a disk. They are threads of JavaScript, rather than those of libuv, for the garbage: a chunk leaves behind 1 MiB or 2, and V8
 * marks the whole heap once for about 14 of them. That of such a thread is almost empty; with the worker's it cost a fifth of all processor time (measured).
 */
export function startThreads<Task, Answer>({ program, count, workerData }: ThreadsOptions): Threads<Task, Answer> {
  const waiting: Order<Task, Answer>[] = []
  const running = new Map<Worker, Order<Task, Answer>>()
  const idle = new Set<Worker>()
  let failure: { error: unknown } | undefined

  const begin = (): void => {
    const [thread] = idle
    if (thread === undefined || waiting.length === 0) return
    const order = waiting.shift()!
    idle.delete(thread)
    running.set(thread, order)
    thread.postMessage(order.task, order.transfer)
  }
  const fail = (error: unknown): void => {
    failure ??= { error }
    for (const { reject } of [...running.values(), ...waiting.splice(0)]) reject(error)
    running.clear()
  }
  const threads = Array.from({ length: count }, () => {
    const thread = new Worker(program, { workerData, resourceLimits })
    thread.on('error', fail)
    thread.on('message', (answer: Answer) => {
      running.get(thread)?.resolve(answer)
      running.delete(thread)
      idle.add(thread)
      begin()
    })
    idle.add(thread)
    return thread
  })

  return {
    perform: (task, transfer = []) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure.error)
        waiting.push({ task, transfer, resolve, reject })
        begin()
      }),
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}
