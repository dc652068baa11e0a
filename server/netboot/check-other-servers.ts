import type { Logger } from 'pino'
import { IngotError } from '../errors.ts'
import { findOtherServers, renderOtherServer, type OtherServer, type Segment } from './find-other-servers.ts'

/** What other servers on the boot network mean for us: what forbids our mode, and what is only worth knowing. */
export interface OtherServersReport {
  problems: string[]
  warnings: string[]
}

/** Two who give addresses, or who say what to boot, make a machine's boot a matter of who is faster (F7). Pure. */
export function judgeOtherServers(servers: readonly OtherServer[], { interfaceName, mode }: { interfaceName: string; mode: 'dhcp' | 'proxy' }): OtherServersReport {
  const told = (each: OtherServer) => `another server on ${interfaceName}: ${renderOtherServer(each)}`
  const givers = servers.filter(({ givesAddress }) => givesAddress !== undefined)
  const booters = servers.filter(({ boots, isPxe }) => boots !== '' || isPxe)
  if (mode === 'dhcp') {
    const advice = 'stop it, or boot beside it with "mode: proxy", or insist with "allowOtherServers: true" under netboot in the configuration'
    return { problems: servers.map((each) => `${told(each)}; ${advice}`), warnings: [] }
  }
  const nobody = `no server on ${interfaceName} gives addresses, and mode: proxy gives none: machines cannot boot until one does`
  return { problems: [], warnings: [...booters.map((each) => `${told(each)}: machines follow whichever they hear first`), ...(givers.length === 0 ? [nobody] : [])] }
}

export interface CheckOtherServersOptions extends Segment {
  /** What we give with addresses; undefined in proxy mode. */
  dhcp: unknown
  allowOtherServers: boolean
  log: Logger
}

/** Looks who else serves the boot network, and says what that means. Throws like `findOtherServers`. */
export async function reportOtherServers({ interfaceName, address, dhcp, run }: Omit<CheckOtherServersOptions, 'log' | 'allowOtherServers'>): Promise<OtherServersReport> {
  return judgeOtherServers(await findOtherServers({ interfaceName, address, run }), { interfaceName, mode: dhcp === undefined ? 'proxy' : 'dhcp' })
}

/** Throws an `IngotError` `other-dhcp-server` that names each other server when addresses may not be ours to give. */
export async function checkOtherServers({ log, allowOtherServers, ...options }: CheckOtherServersOptions): Promise<void> {
  if (allowOtherServers) return
  let report: OtherServersReport
  try {
    report = await reportOtherServers(options)
  } catch (error) {
    if (!(error instanceof IngotError) || error.code !== 'port-in-use') throw error
    return log.warn({ reason: error.message }, 'could not look for other DHCP servers')
  }
  for (const warning of report.warnings) log.warn(warning)
  if (report.problems.length > 0) throw new IngotError('other-dhcp-server', report.problems.join('\n'), { problems: report.problems })
}
