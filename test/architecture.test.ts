import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const sources = globSync('{images,boot,appliance,server}/**/*.ts', { cwd: root })

const importsOf = (file: string): string[] =>
  [...readFileSync(join(root, file), 'utf8').matchAll(/^(?:import|export)\b[^'"]*? from '([^']+)'|^import '([^']+)'/gms)].map((match) => match[1] ?? match[2]!)
const ownImports = (file: string): string[] =>
  importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => relative(root, join(root, dirname(file), name)))

/** What each part may know of besides itself. */
const allowed: Record<string, RegExp> = {
  images: /^images\//,
  boot: /^(boot|images)\//,
  'appliance/worker': /^(appliance|images|server\/api)\//,
  'appliance/steps': /^(appliance|images|server\/api)\//,
  'appliance/capture': /^(appliance|images|server\/api)\//,
  'appliance/restore': /^(appliance|images|server\/api)\//,
}

describe('imports point one way', () => {
  test.each(Object.entries(allowed))('%s', (part, pattern) => {
    const files = sources.filter((file) => file.startsWith(`${part}/`))
    expect(files.length).toBeGreaterThan(0)
    expect(files.flatMap((file) => ownImports(file).filter((name) => !pattern.test(name)).map((name) => `${file} → ${name}`))).toEqual([])
  })
})

test.each([
  ['execa', ['appliance/run.ts']],
  ['dhcp', 1],
  ['tftp2', 1],
])('%s is imported by one module', (name, where) => {
  const users = sources.filter((file) => importsOf(file).some((each) => each === name || each.startsWith(`${name}/`)))
  if (typeof where === 'number') expect(users).toHaveLength(where)
  else expect(users).toEqual(where)
})

test('nothing exits or writes to the terminal by itself but the entries', () => {
  const entries = ['server/main.ts', 'appliance/worker/main.ts', 'server/rack/inside-namespace.ts', 'server/demo/inside.ts']
  const offenders = sources.filter((file) => !entries.includes(file) && /\bprocess\.exit\(|\bconsole\.(log|error|warn|info|debug)\(/.test(readFileSync(join(root, file), 'utf8')))
  expect(offenders).toEqual([])
})
