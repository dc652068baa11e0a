import { IngotError } from '../../server/errors.ts'

/** Reads the value of an option, a number from 1 to `most`. What it returns throws an `IngotError` `argument-invalid` for anything else. */
export const wholeNumber =
  (option: string, most: number) =>
  (text: string): number => {
    const number = Number(text)
    if (Number.isInteger(number) && number >= 1 && number <= most) return number
    throw new IngotError('argument-invalid', `${option}: expected a whole number from 1 to ${most}, got "${text}"`)
  }
