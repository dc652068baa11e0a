import { userInfo } from 'node:os'
import type { Command } from 'commander'
import type { CreatedToken, ListedToken, NewToken, TokenListAnswer } from '../../api/token.ts'
import { openAuditLog } from '../../audit/audit-log.ts'
import { askServer } from '../../http-client.ts'
import { openTokens, tokenId } from '../../tokens.ts'
import { serverAddress, withServerAndJson, type Asker, type ServerOptions } from '../server-options.ts'

/** Where tokens are looked after: at a running server, or in its data directory. */
export interface TokenPlace {
  create(wanted: NewToken): Promise<Pick<CreatedToken, 'id' | 'role' | 'name' | 'credential'>>
  list(): Promise<ListedToken[]>
  revoke(token: ListedToken): Promise<void>
}

export type TokenPlaceOptions = ServerOptions & { data?: string }

export const withTokenPlace = (command: Command): Command =>
  withServerAndJson(command).option('--data <directory>', 'data directory of a first computer or master, in place of the server')

/** Throws `IngotError` 'argument-invalid' when neither a server nor a directory is told. */
export const tokenPlace = (options: TokenPlaceOptions, asker: Asker): TokenPlace =>
  options.data === undefined ? atServer(options, asker) : inDirectory(options.data)

function atServer(options: ServerOptions, asker: Asker): TokenPlace {
  const address = serverAddress(options, asker)
  const json = { 'content-type': 'application/json' }
  return {
    create: async (wanted) => (await (await askServer(address, '/tokens', { method: 'POST', headers: json, body: JSON.stringify(wanted) })).json()) as CreatedToken,
    list: async () => ((await (await askServer(address, '/tokens.json')).json()) as TokenListAnswer).tokens,
    revoke: async ({ id }) => void (await askServer(address, `/tokens/${id}`, { method: 'DELETE' })),
  }
}

/** Who has the data directory does as they like; that they did it is written down all the same. */
function inDirectory(data: string): TokenPlace {
  const tokens = openTokens(data)
  const audit = async (method: string, object: string): Promise<void> => {
    const log = openAuditLog(data)
    log.write({ name: `${userInfo().username} on this host`, method, object })
    await log.close()
  }
  return {
    async create({ role, name }) {
      const credential = await tokens.create({ role, name })
      await audit('token create', `${role} ${name}`)
      return { id: tokenId(credential), role, name, credential }
    },
    list: () => tokens.list(),
    async revoke({ id, role, name }) {
      await tokens.revoke(id)
      await audit('token revoke', `${role} ${name} ${id}`)
    },
  }
}
