import { expect, it } from 'vitest'
import { parsePerfdhcp } from './parse-perfdhcp.ts'

/** As Kea 2.2 prints it, shortened. */
const output = `Running: perfdhcp -4 -r 100 -p 2 -x t 10.77.0.1
***Rate statistics***
Rate: 1.4 4-way exchanges/second, expected rate: 100

***Statistics for: DISCOVER-OFFER***
sent packets: 4
received packets: 3
drops: 1
avg delay: 1.398 ms

***Statistics for: REQUEST-ACK***
sent packets: 3
received packets: 2
drops: 1

***Timestamps for packets: DISCOVER-OFFER***
sent / received: 000000.000236 / 000000.001236
sent / received: 000000.020216 / 000000.050216

***Timestamps for packets: REQUEST-ACK***
sent / received: 000001.500000 / 000001.502000
`

it('counts exchanges that came to their end, and messages of both kinds without an answer', () => {
  expect(parsePerfdhcp(output)).toMatchObject({ completed: 2, asked: 7, unanswered: 2 })
})

it('takes the time to each answer from its time stamps', () => {
  expect(parsePerfdhcp(output).latenciesMs.map((ms) => Math.round(ms))).toEqual([1, 30, 2])
})

it('tells why perfdhcp could not begin', () => {
  expect(() => parsePerfdhcp('Running: perfdhcp\nError running perfdhcp: no such interface\n')).toThrow('no such interface')
})
