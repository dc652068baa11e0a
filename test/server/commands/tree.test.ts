import { spawnSync } from 'node:child_process'
import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { Command } from 'commander'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { run, start } from '../../../appliance/run.ts'
import { wordsOf } from '../../../server/commands/completion.ts'
import { renderCompletion } from '../../../server/commands/completion/render-completion.ts'
import { createProgram } from '../../../server/commands/create-program.ts'
import { createRate } from '../../../server/commands/create-rate.ts'

const program = createProgram({
  run,
  start,
  log: pino({ level: 'silent' }),
  print: () => {},
  output: new Writable(),
  say: () => {},
  showBar: undefined,
  signal: new AbortController().signal,
  env: {},
  columns: undefined,
  exit: () => {},
})
const leaves = (command: Command, path: string): [path: string, command: Command][] =>
  command.commands.length === 0 ? [[path, command]] : command.commands.flatMap((each) => leaves(each, `${path} ${each.name()}`))
const all = leaves(program, 'ingot')

const helpOf = (command: Command): string => {
  let text = ''
  command.configureOutput({ writeOut: (piece) => void (text += piece) }).outputHelp()
  return text
}

describe('every command', () => {
  test.each(all)('%s --help shows an example of it', (path, command) => {
    expect(helpOf(command)).toMatch(new RegExp(`Examples?\\b[^\\n]*:\\n(.*\\n)*.*${path}`))
  })

  /** What runs until it is stopped, prints no facts, or prints what has a form of its own. */
  const withoutJson = ['ingot serve', 'ingot master', 'ingot job log', 'ingot image export', 'ingot image key', 'ingot completion', 'ingot demo']
  test.each(all.filter(([path]) => !withoutJson.includes(path)))('%s prints JSON when it is asked to', (_, command) => {
    expect(command.options.map(({ long }) => long)).toContain('--json')
  })
})

describe('ingot completion', () => {
  /** What bash offers after these words, the last of which is not complete. */
  const completed = (...words: string[]): string[] => {
    const script = `${renderCompletion('bash', wordsOf(program))}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}) COMP_CWORD=${words.length - 1}\n_ingot\nprintf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
    expect(stderr).toBe('')
    return stdout.split('\n').filter((line) => line !== '')
  }

  test.each<[words: string[], expected: string[]]>([
    [['ingot', 'jo'], ['job']],
    [['ingot', 'job', 're'], ['retry', 'remove']],
    [['ingot', 'job', 'list', '--st'], ['--state']],
    [['ingot', 'image', 'export', 'web', '--format', 'raw'], ['raw', 'raw.zst']],
    [['ingot', 'token', 'create', '--role', 'v'], ['viewer']],
    [['ingot', 'completion', ''], ['bash', 'zsh', 'fish', '--help']],
    // A job may be called like a command.
    [['ingot', 'job', 'show', 'job', '--js'], ['--json']],
  ])('in bash: %j', (words, expected) => {
    expect(completed(...words).toSorted()).toEqual(expected.toSorted())
  })

  test('in bash offers files where a file is wanted', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ingot-completion-'))
    await writeFile(join(directory, 'ingot.yaml'), '')
    expect(completed('ingot', 'serve', '--config', `${directory}/in`)).toEqual([`${directory}/ingot.yaml`])
    await rm(directory, { recursive: true })
  })

  test.each(['zsh', 'fish'] as const)('%s is given every command and its options', (shell) => {
    const script = renderCompletion(shell, wordsOf(program))
    for (const [path, command] of all) {
      expect(script).toContain(path.split(' ').at(-1))
      for (const { long } of command.options) expect(script).toContain(shell === 'fish' ? `-l ${long!.slice(2)}` : `'${long}:`)
    }
  })
})

describe('progress', () => {
  test('is a bar on a terminal, taken away at the end', () => {
    const shown: (string | undefined)[] = []
    let ms = 0
    const rate = createRate({ showBar: (line) => void shown.push(line) }, () => ms)
    ms = 2000
    rate(500_000_000, 1_000_000_000)
    ms = 2050
    rate(600_000_000, 1_000_000_000)
    rate(1_000_000_000, 1_000_000_000)
    expect(shown).toEqual(['████████████░░░░░░░░░░░░ 50 % of 1 GB, 250 MB/s, 2s left', undefined])
  })

  test('is nothing anywhere else', () => {
    expect(() => createRate({ showBar: undefined })(1, 2)).not.toThrow()
  })
})
