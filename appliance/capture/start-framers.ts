import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { FrameAnswer, FrameTask, FrameThreadData } from './frame-thread.ts'

/** Threads that read, compress and hash chunks. */
export interface Framers {
  /** Settles once a thread has done it. Throws what any thread has thrown: then all of them are given up. */
  frame(task: FrameTask): Promise<FrameAnswer>
  close(): Promise<void>
}

interface Order {
  task: FrameTask
  resolve: (answer: FrameAnswer) => void
  reject: (error: unknown) => void
}

/** Beside its source as it is, and beside the bundle in the appliance. */
const program = join(import.meta.dirname, import.meta.filename.endsWith('.ts') ? 'frame-thread.ts' : 'frame-thread.mjs')

/** Of a heap that holds next to nothing; without limits V8 takes its time to clean it, at 7 MiB for each thread (measured). */
const resourceLimits = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32 }

/**
 * Starts threads for chunks of a disk. They are threads of JavaScript, rather than those of libuv, for the garbage: a frame leaves behind 1 MiB, and V8
 * marks the whole heap once for about 14 of them. That of such a thread is almost empty; with the worker's it cost a fifth of all processor time (measured).
 */
export function startFramers(count: number, workerData: FrameThreadData): Framers {
  const waiting: Order[] = []
  const running = new Map<Worker, Order>()
  const idle = new Set<Worker>()
  let failure: { error: unknown } | undefined

  const begin = (): void => {
    const [thread] = idle
    if (thread === undefined || waiting.length === 0) return
    const order = waiting.shift()!
    idle.delete(thread)
    running.set(thread, order)
    thread.postMessage(order.task)
  }
  const fail = (error: unknown): void => {
    failure ??= { error }
    for (const { reject } of [...running.values(), ...waiting.splice(0)]) reject(error)
    running.clear()
  }
  const threads = Array.from({ length: count }, () => {
    const thread = new Worker(program, { workerData, resourceLimits })
    thread.on('error', fail)
    thread.on('message', (answer: FrameAnswer) => {
      running.get(thread)?.resolve(answer)
      running.delete(thread)
      idle.add(thread)
      begin()
    })
    idle.add(thread)
    return thread
  })

  return {
    frame: (task) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure.error)
        waiting.push({ task, resolve, reject })
        begin()
      }),
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
}
