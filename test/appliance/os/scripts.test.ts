import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../../../appliance/run.ts'

const os = resolve(import.meta.dirname, '../../../appliance/os')
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ingot-scripts-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Runs shell lines in namespaces of their own, where /run is empty and /proc/cmdline says what the test wants. */
async function runInside(commandLine: string, lines: string): Promise<string> {
  const file = join(directory, 'cmdline')
  await writeFile(file, `${commandLine}\n`)
  const script = `mount --bind ${file} /proc/cmdline && mount -t tmpfs run /run && mkdir /run/ingot && mount -t sysfs sys /sys && . ${os}/common.sh\n${lines}`
  return run('unshare', ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', script])
}

test.each(['common.sh', 'udhcpc.sh', 'stage1/init', 'stage2/init', 'stage2/get-inventory'])('%s is well-formed', async (script) => {
  await run('sh', ['-n', join(os, script)])
})

describe('argument', () => {
  test.each([
    ['ingot.server', 'http://10.77.0.1:8080'],
    ['BOOTIF', '01-52-54-00-12-34-56'],
    ['ingot.ticket', 'a=b'],
    ['ingot.serve', ''],
    ['missing', ''],
  ])('%s', async (name, value) => {
    const commandLine = 'quiet ingot.server=http://10.77.0.1:8080 BOOTIF=01-52-54-00-12-34-56 ingot.ticket=a=b console=ttyS0,115200'
    expect(await runInside(commandLine, `argument ${name}`)).toBe(value)
  })
})

describe('download and verify', () => {
  const sha512OfHello = '9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043'
  /** Fetches `name` with a wget that writes `hello` for each address but one that it does not know. */
  const fetch = async (name: string, digest: string): Promise<string> => {
    const wget = `#!/bin/sh\ncase $4 in http://10.77.0.1:8080/boot/known) printf hello >"$3" ;; *) echo "wget: no $4" >&2 && exit 1 ;; esac\n`
    await writeFile(join(directory, 'wget'), wget, { mode: 0o755 })
    return runInside('ingot.server=http://10.77.0.1:8080', `say() { echo "$*"; }; PATH=${directory}:$PATH; download ${name} /run/file && verify ${name} /run/file sha512:${digest} && cat /run/file || echo failed`)
  }

  test('a file of the boot server with the digest that it should have', async () => {
    expect(await fetch('known', sha512OfHello)).toBe('hello')
  })

  test('another digest fails, and is told with what was expected and got', async () => {
    expect(await fetch('known', 'abc')).toBe(`known from http://10.77.0.1:8080: expected sha512:abc, got sha512:${sha512OfHello} (5 bytes)\nfailed`)
  })

  test('a file that is not to be had fails, and is told with what wget said', async () => {
    expect(await fetch('gone', sha512OfHello)).toBe('gone from http://10.77.0.1:8080: wget: no http://10.77.0.1:8080/boot/gone\nfailed')
  })
})

describe('what udhcpc calls', () => {
  const lease = 'interface=lo ip=10.77.0.9 mask=24 router="10.77.0.1 10.77.0.2" dns="10.77.0.1 9.9.9.9" lease=600 serverid=10.77.0.1'

  test('a lease becomes address, route, name servers and a file that a shell reads', async () => {
    const output = await runInside('', `ip link set lo up; export ${lease}; sh ${os}/udhcpc.sh bound; ip -brief -4 address show lo; ip route; cat /run/ingot/resolv.conf; unset ip dns; . /run/ingot/lease; echo "$ip|$dns|$mac"`)
    expect(output).toMatch(/10\.77\.0\.9\/24/)
    expect(output).toContain('default via 10.77.0.1 dev lo')
    expect(output).toContain('nameserver 10.77.0.1\nnameserver 9.9.9.9\n')
    expect(output).toContain('10.77.0.9|10.77.0.1 9.9.9.9|00:00:00:00:00:00')
  })

  test('a renewal leaves one address', async () => {
    const output = await runInside('', `ip link set lo up; export ${lease}; sh ${os}/udhcpc.sh bound; sh ${os}/udhcpc.sh renew; ip -4 address show lo`)
    expect(output.match(/inet 10\./g)).toHaveLength(1)
  })

  test('the beginning of a renewal does not take the address away', async () => {
    const output = await runInside('', `ip link set lo up; export ${lease}; sh ${os}/udhcpc.sh bound; sh ${os}/udhcpc.sh deconfig; ip -brief -4 address show lo`)
    expect(output).toMatch(/10\.77\.0\.9\/24/)
  })
})
