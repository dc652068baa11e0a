import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { renderUnit } from '../../../server/systemd/render-unit.ts'

const options = { program: '/usr/bin/true', configPath: '/etc/ingot/ingot.yaml', dataDirectory: '/var/lib/ingot', netboot: true }
const isThere = spawnSync('systemd-analyze', ['--version']).status === 0

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-unit-'))
  file = join(directory, 'ingot.service')
})
afterEach(() => rm(directory, { recursive: true }))

test.skipIf(!isThere)('systemd takes the unit as it is, and finds it exposed no more than 4.5 of 10', async () => {
  await writeFile(file, renderUnit(options))
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' })
  expect(verified.stderr.split('\n').filter((line) => line.includes('ingot.service'))).toEqual([])
  const { stdout, status } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=46', file], { encoding: 'utf8' })
  expect(stdout).toContain('Overall exposure level for ingot.service')
  expect(status).toBe(0)
})

test('without boot services it has fewer rights on the network', () => {
  expect(renderUnit(options)).toMatch(/^CapabilityBoundingSet=.* CAP_NET_RAW /m)
  expect(renderUnit({ ...options, netboot: false })).not.toMatch(/CAP_NET|AF_PACKET/)
})

test('a path with signs of systemd stands in it as that path', () => {
  expect(renderUnit({ ...options, configPath: '/srv/50% "$x"/ingot.yaml' })).toContain('--config "/srv/50%% \\"$$x\\"/ingot.yaml"\n')
})

test('it has a /tmp of its own, unless what it needs lies in the other', () => {
  expect(renderUnit(options)).toMatch(/^PrivateTmp=yes$/m)
  for (const path of ['program', 'configPath', 'dataDirectory']) expect(renderUnit({ ...options, [path]: '/tmp/ingot/x' })).toMatch(/^ProtectHome=read-only\nReadWritePaths=\/tmp \/var\/tmp\nProtectProc/m)
})
