import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { consoleLines, readConsole } from '../../../server/rack/console.ts'

const never = new AbortController().signal

test('a screen that firmware painted reads as lines', () => {
  const raw = '\u001b[2J\u001b[01;01H\u001b[=3h\u001b[0m\u001b[35m\u001b[40mBdsDxe: starting Boot0001\u001b[02;01H>>Start PXE over IPv4.\r\n\r\n  Station IP\u0000\r\n'
  expect(consoleLines(raw)).toEqual(['BdsDxe: starting Boot0001', '>>Start PXE over IPv4.', '  Station IP'])
})

test('a prompt is found in a line not yet ended, also when it comes in pieces', async () => {
  const stream = new PassThrough()
  const console = readConsole(stream, '/run/m1.console')
  const found = console.waitFor(/login:$/m, never)
  stream.write('Debian GNU/Linux 12 vm ttyS0\r\n\r\nvm lo')
  stream.write('gin: ')
  expect(await found).toBe('login:')
})

test('what was said before somebody waited is found too', async () => {
  const stream = new PassThrough()
  const console = readConsole(stream, '/run/m1.console')
  stream.write('vm login: ')
  await new Promise((resolve) => setImmediate(resolve))
  expect(await console.waitFor(/login:$/m, never)).toBe('login:')
})

test('waiting ends with the reason of the one who stops it', async () => {
  const stop = new AbortController()
  const waiting = readConsole(new PassThrough(), '/run/m1.console').waitFor(/login:/, stop.signal)
  stop.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
})

test('the tail is the last lines, oldest first', async () => {
  const stream = new PassThrough()
  const console = readConsole(stream, '/run/m1.console')
  stream.write(Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`).join(''))
  await new Promise((resolve) => setImmediate(resolve))
  expect(console.tail(2)).toEqual(['line 19998', 'line 19999'])
})
