import { stripVTControlCharacters } from 'node:util'
import type { Readable } from 'node:stream'

/** What a machine says on its serial console. */
export interface Console {
  /** The file that keeps all of it. */
  readonly path: string
  /** The last lines a person can read, oldest first. */
  tail(count: number): string[]
  /** Settles with what matched once `pattern` was said, also within a line not yet ended, such as `login: `. Rejects with `signal`'s reason. */
  waitFor(pattern: RegExp, signal: AbortSignal): Promise<string>
}

const keptCharacters = 65_536
/** A pattern may have come in two pieces. */
const overlapCharacters = 1024

export function readConsole(stream: Readable, path: string): Console {
  let text = ''
  const listeners = new Set<(recent: string) => void>()
  stream.setEncoding('utf8')
  stream.on('data', (piece: string) => {
    const recent = text.slice(-overlapCharacters) + piece
    text = (text + piece).slice(-keptCharacters)
    for (const listener of listeners) listener(recent)
  })
  return {
    path,
    tail: (count) => consoleLines(text).slice(-count),
    waitFor: (pattern, signal) =>
      new Promise((resolve, reject) => {
        const settle = (end: () => void): void => {
          listeners.delete(look)
          signal.removeEventListener('abort', onAbort)
          end()
        }
        const onAbort = (): void => settle(() => reject(signal.reason))
        const look = (recent: string): void => {
          const match = pattern.exec(consoleLines(recent).join('\n'))
          if (match !== null) settle(() => resolve(match[0]))
        }
        if (signal.aborted) return onAbort()
        signal.addEventListener('abort', onAbort)
        listeners.add(look)
        look(text)
      }),
  }
}

const cursorJump = /\u001b\[\d*;?\d*H/g
/** Set mode of ANSI.SYS, which OVMF sends and `stripVTControlCharacters` does not know. */
const textMode = /\u001b\[=\d+h/g

/** The readable lines of a console: a jump of the cursor counts as a new line, for firmware paints its screen with them (ECMA-48, CUP). */
export function consoleLines(raw: string): string[] {
  const text = stripVTControlCharacters(raw.replaceAll(cursorJump, '\n').replaceAll(textMode, ''))
  return text
    .split(/[\r\n]+/)
    .map((line) => line.replaceAll(/[\p{Cc}\ufffd]/gu, '').trimEnd())
    .filter((line) => line !== '')
}
