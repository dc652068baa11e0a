import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withJobDefaults, type ListedJob } from '../../../server/api/job.ts'
import { IngotError } from '../../../server/errors.ts'
import { splitName, nameAtMaster } from '../../../server/master/job-name.ts'
import { parseMasterConfig } from '../../../server/master/master-config.ts'
import { mergeJobs } from '../../../server/master/merge-jobs.ts'

const problemsOf = (text: string): readonly string[] => {
  try {
    parseMasterConfig(text, 'master.yaml')
  } catch (error) {
    if (error instanceof IngotError) return error.problems
    throw error
  }
  return []
}

describe('configuration', () => {
  const credentials = '{ worker: ingot_worker_a, operator: ingot_operator_a }'

  test('a whole one gets paths relative to the file and addresses without a slash at the end', () => {
    const text = `data: ../var\nlisten: 192.0.2.1:8080\nfirstComputers:\n  - { name: hall-a, url: http://10.77.0.1:8080/, credentials: ${credentials} }\n`
    expect(parseMasterConfig(text, '/etc/ingot/master.yaml')).toEqual({
      dataDirectory: '/etc/var',
      listen: { address: '192.0.2.1', port: 8080 },
      tls: { port: 8443, names: [] },
      openMetrics: false,
      firstComputers: [{ name: 'hall-a', url: 'http://10.77.0.1:8080', credentials: { worker: 'ingot_worker_a', operator: 'ingot_operator_a' } }],
    })
  })

  test('every wrong field is told at once, with line and column', () => {
    const text = `data: ''\nlisten: here\nfirstComputers:\n  - { name: hall.a, url: 10.77.0.1, credentials: { worker: x } }\n  - { nam: b }\n`
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^master\.yaml:1:7: data: expected at least 1 characters/),
      'master.yaml:2:9: listen: expected an address and a port like 192.0.2.1:8080, got "here"',
      'master.yaml:4:13: firstComputers[0].name: expected a name of up to 32 small letters, digits and dashes, like hall-a, got "hall.a"',
      expect.stringContaining('firstComputers[0].url: expected an address like https://10.77.0.1:8443, got "10.77.0.1"'),
      expect.stringContaining('firstComputers[0].credentials.operator: expected a credential made there by `ingot token create --role operator`, got nothing'),
      expect.stringContaining('firstComputers[1].name: expected a name'),
      expect.stringContaining('firstComputers[1].url: expected an address'),
      expect.stringContaining('firstComputers[1].credentials: expected a value, got nothing'),
      expect.stringContaining('firstComputers[1].nam: expected a known key (nearest: name;'),
    ])
  })

  test('a name or an address that stands there twice, and an address that cannot be, are told', () => {
    const one = (name: string) => `  - { name: ${name}, url: 'http://10.77.0.1:8080', credentials: ${credentials} }\n`
    expect(problemsOf(`data: d\nlisten: 300.0.0.1:99999\nfirstComputers:\n${one('a')}${one('a')}`).map((problem) => problem.replace(/^master\.yaml:\d+:\d+: /, ''))).toEqual([
      'listen: expected an IPv4 address before the colon, got "300.0.0.1"',
      'listen: expected a port from 0 to 65535, got 99999',
      'firstComputers[1].name: expected a name that no other first computer has, got a',
      'firstComputers[1].url: expected an address that is not listed already, got http://10.77.0.1:8080',
    ])
  })
})

test('names are taken apart as they were made, with dots in the job too', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/), fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,60}$/), (firstComputer, name) => {
      expect(splitName(nameAtMaster(firstComputer, name))).toEqual({ firstComputer, name })
    }),
  )
  for (const name of ['web-1', '.web', 'hall.']) expect(splitName(name)).toBeUndefined()
})

describe('merging lists', () => {
  const job = (id: string, priority: number, assignedTo?: string): ListedJob => ({
    ...withJobDefaults({ id, recipe: 'r', priority, ...(assignedTo === undefined ? {} : { assignedTo }) }),
    state: 'available',
    attempt: 0,
  })
  const lists = fc
    .array(fc.array(fc.integer({ min: -3, max: 3 }), { maxLength: 8 }), { maxLength: 4 })
    .map((priorities) => priorities.map((each, list) => each.toSorted((a, b) => b - a).map((priority, index) => job(`${list}.${index}`, priority))))

  test('B4 B7 lists in order of priority become one in order of priority, and among equals the order of the lists and of each', () => {
    fc.assert(
      fc.property(lists, (each) => {
        // Array.prototype.sort is stable.
        expect(mergeJobs(each)).toEqual(each.flat().sort((a, b) => b.priority - a.priority))
      }),
    )
  })

  test('the order within a list stays, whatever it comes from, and a limit takes the first', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.integer({ min: -3, max: 3 }))), fc.nat(10), (priorities, limit) => {
        const each = priorities.map((list, number) => list.map((priority, index) => job(`${number}.${index}`, priority)))
        const merged = mergeJobs(each)
        for (const [number, list] of each.entries()) expect(merged.filter(({ id }) => id.startsWith(`${number}.`))).toEqual(list)
        expect(mergeJobs(each, { limit })).toEqual(merged.slice(0, limit))
      }),
    )
  })

  test('B18 what was pushed to the worker goes before a higher priority', () => {
    const each = [[job('a', 5)], [job('b', 0, 'm1'), job('c', 9)]]
    expect(mergeJobs(each, { worker: 'm1' }).map(({ id }) => id)).toEqual(['b', 'c', 'a'])
    expect(mergeJobs(each, { worker: 'm2' }).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })
})
