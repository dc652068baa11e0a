import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Run } from '../../../appliance/run.ts'
import type { Contender } from './contender.ts'
import type { Measured } from './options.ts'

/** A free port of 127.0.0.1 that nothing else here takes. */
const port = 47811

const fileOf = (directory: string, scenario: string): string => join(directory, scenario.replaceAll(' ', '-'))

/**
 * Runs lines of bash and measures them; `times` at the end tells the processor time of the shell and of all that it waited for, as
 * `0m1.250s 0m0.310s` for user and system.
 */
async function measureShell(run: Run, script: string): Promise<Omit<Measured, 'bytes'>> {
  const startMs = performance.now()
  const output = await run('bash', ['-euo', 'pipefail', '-c', `${script}\ntimes`], { timeoutMs: 3_600_000 })
  const seconds = [...output.matchAll(/(\d+)m([\d.]+)s/g)].slice(-4).map(([, minutes, rest]) => Number(minutes) * 60 + Number(rest))
  return { wallMs: performance.now() - startMs, cpuMs: seconds.reduce((sum, each) => sum + each * 1000, 0) }
}

/** One stream over TCP on the loopback, in zstd by all processors at its default level, into a file that is durable in the end. */
const streamed = (run: Run, directory: string, { read, write }: { read: (device: string) => string; write: (device: string) => string }): Contender => ({
  async capture({ root }, scenario) {
    await mkdir(directory, { recursive: true })
    const file = fileOf(directory, scenario)
    // The sender waits until the receiver listens: 50 attempts, 0.02 s apart.
    const measured = await measureShell(
      run,
      `socat -u TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr CREATE:${file} & receiver=$!
       ${read(root)} | zstd -T0 -q -c | socat -u - TCP:127.0.0.1:${port},retry=50,interval=0.02
       wait $receiver; sync ${file}`,
    )
    return { ...measured, bytes: (await stat(file)).size }
  },
  async restore({ root }, scenario) {
    const file = fileOf(directory, scenario)
    const measured = await measureShell(
      run,
      `socat -u FILE:${file} TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr & sender=$!
       socat -u TCP:127.0.0.1:${port},retry=50,interval=0.02 - | zstd -dc -q | ${write(root)}
       wait $sender; sync ${root}`,
    )
    return { ...measured, bytes: (await stat(file)).size }
  },
  close: async () => {},
})

export const openPartclone = (directory: string, run: Run): Contender =>
  streamed(run, directory, {
    read: (device) => `partclone.ext4 -c -s ${device} -o - -L /dev/null 2>/dev/null`,
    write: (device) => `partclone.restore -s - -o ${device} -L /dev/null 2>/dev/null`,
  })

export const openDd = (directory: string, run: Run): Contender =>
  streamed(run, directory, {
    read: (device) => `dd if=${device} bs=4M status=none`,
    write: (device) => `dd of=${device} bs=4M iflag=fullblock status=none`,
  })

/** casync into a store of chunks on the same machine, with its own defaults; what is there of an earlier disk it does not store again. */
export function openCasync(directory: string, run: Run): Contender {
  const store = join(directory, 'default.castr')
  const storeBytes = async (): Promise<number> => Number((await run('du', ['--bytes', '--summarize', directory])).split('\t')[0])
  return {
    async capture({ root }, scenario) {
      await mkdir(store, { recursive: true })
      const before = await storeBytes()
      const measured = await measureShell(run, `casync make --store=${store} ${fileOf(directory, scenario)}.caibx ${root} >/dev/null; sync -f ${store}`)
      return { ...measured, bytes: (await storeBytes()) - before }
    },
    async restore({ root }, scenario) {
      const index = `${fileOf(directory, scenario)}.caibx`
      const measured = await measureShell(run, `casync extract --seed-output=no --store=${store} ${index} ${root} >/dev/null; sync ${root}`)
      return { ...measured, bytes: await storeBytes() }
    },
    close: async () => {},
  }
}
