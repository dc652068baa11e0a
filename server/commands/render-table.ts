import { stripVTControlCharacters } from 'node:util'

/** What a worker says of itself must not move the cursor, nor break the line. */
export const oneLine = (text: string): string => stripVTControlCharacters(text).replaceAll(/\p{Cc}+/gu, ' ')

/**
 * Lines of a table whose columns stand below each other. Where `width`, the columns of the terminal, is known, what goes beyond it is cut off, which
 * makes the last column the place for long text. Columns without any text are left out.
 */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[], width?: number): string[] {
  const clean = rows.map((row) => row.map(oneLine))
  const shown = head.map((_, column) => column).filter((column) => clean.some((row) => row[column] !== ''))
  const widths = head.map((title, column) => Math.max(title.length, ...clean.map((row) => row[column]!.length)))
  return [head, ...clean].map((cells) => {
    const text = shown.map((column) => cells[column]!.padEnd(widths[column]!)).join('  ').trimEnd()
    return width === undefined || text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
  })
}
