import { IngotError } from '../errors.ts'

/** Reads `['rack=b2', 'row=']` as `[['rack', 'b2'], ['row', '']]`. Throws `IngotError` 'argument-invalid' for what is no `key=value`. */
export const parseKeyValues = (texts: readonly string[]): [key: string, value: string][] =>
  texts.map((text) => {
    const at = text.indexOf('=')
    if (at < 1) throw new IngotError('argument-invalid', `expected key=value, got "${text}"`)
    return [text.slice(0, at), text.slice(at + 1)]
  })
