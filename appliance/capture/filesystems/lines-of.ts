import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Run } from '../../run.ts'

/**
 * The lines that a program prints, one at a time and whatever their number; they go through a file and not into the job's log.
 * Throws a `CommandError` when the program fails, before the first line.
 */
export async function* linesOf(run: Run, program: string, args: readonly string[]): AsyncGenerator<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-lines-'))
  try {
    const outputPath = join(folder, 'output')
    await run(program, args, { outputPath })
    const file = await open(outputPath)
    try {
      yield* file.readLines()
    } finally {
      await file.close()
    }
  } finally {
    await rm(folder, { recursive: true })
  }
}
