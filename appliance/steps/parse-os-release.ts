/** Reads os-release(5): `VERSION_CODENAME=bookworm`, values bare or in quotes. */
export const parseOsRelease = (text: string): Record<string, string | undefined> =>
  Object.fromEntries(
    text.split('\n').flatMap((line) => {
      const match = /^([A-Z_0-9]+)=(["']?)(.*)\2$/.exec(line)
      return match === null ? [] : [[match[1]!, match[3]!]]
    }),
  )
