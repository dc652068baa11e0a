import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { askMonitor, parseForwards } from '../../../server/rack/monitor.ts'

/** As QEMU 7.2 says it. */
const usernet =
  'Hub -1 (net0):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n' +
  '  TCP[HOST_FORWARD]   9       127.0.0.1 41727       10.0.2.15    22     0     0\r\n' +
  '  TCP[HOST_FORWARD]   4       127.0.0.1 42453       10.0.2.15    80     0     0\r\n'

test('the ports that lead to a machine are read from what the monitor tells', () => {
  expect(parseForwards(usernet)).toEqual(new Map([[22, 41727], [80, 42453]]))
  expect(parseForwards('Hub -1 (net0):\r\n')).toEqual(new Map())
})

test('the monitor is asked after its greeting', async () => {
  const [ours, theirs] = duplexPair()
  theirs.write('{"QMP": {"version": {}, "capabilities": []}}\r\n')
  let asked = ''
  theirs.setEncoding('utf8').on('data', (text: string) => {
    asked += text
    if (asked.includes('info usernet')) theirs.write(`{"return": {}}\r\n${JSON.stringify({ return: usernet })}\r\n`)
  })
  expect(await askMonitor(ours)).toEqual({ forwards: new Map([[22, 41727], [80, 42453]]) })
})

test('a refusal of the monitor, and one that closes, is told', async () => {
  const [ours, theirs] = duplexPair()
  theirs.write('{"error": {"class": "GenericError", "desc": "no"}}\r\n')
  await expect(askMonitor(ours)).rejects.toThrow('the monitor of QEMU refused: no')
  const [left, gone] = duplexPair()
  gone.end()
  await expect(askMonitor(left)).rejects.toThrow('closed without an answer')
})
