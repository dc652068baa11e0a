import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { Type, type Static } from 'typebox'
import { inventorySchema, labelsBodySchema, machineSystemSchema, type Inventory, type Labels, type MachineSystem } from '../../api/machine.ts'
import { workerIdSchema } from '../../api/job.ts'
import type { Emit } from '../../event-log.ts'
import type { Admission } from '../../admission.ts'
import type { MachineConsoles } from '../../machine-consoles.ts'
import type { MachineStore } from '../../machine-store.ts'
import type { Tokens } from '../../tokens.ts'
import type { Role } from '../../api/role.ts'
import { may, type Authorize } from '../auth.ts'
import { perMinute } from '../per-minute.ts'
import { linkNext, pageOf, pagingSchema, type Paging } from '../paging.ts'
import { ipv4Of } from '../ipv4-of.ts'
import { HttpProblem } from '../problem.ts'
import { refuseOtherMachine } from '../refuse-other-machine.ts'
import type { CredentialAnswer, MachineAnswer } from '../../api/credential.ts'
import type { WalkedServer } from '../../tls/worker-servers.ts'
import { packagesOf } from '../packages-of.ts'

export interface MachineRoutesOptions {
  machines: MachineStore
  consoles: MachineConsoles
  admission: Admission
  tokens: Tokens
  authorize: Authorize
  emit: Emit
  /** Whose an address of the boot network is, where boot services run. */
  machineAt?: (ipv4: string) => string | undefined
  /** The job servers that workers booted from here walk, in order; without a credential of its own a server takes the worker's. */
  servers: () => readonly WalkedServer[]
}

/** How long the credential of a booted machine lives: a day is more than any job takes. */
const credentialLifeSeconds = 24 * 3600

const params = { type: 'object', properties: { id: workerIdSchema }, required: ['id'] } as const
/** Only what boots from here is admitted, and that goes by its MAC address. */
const macParams = { type: 'object', properties: { id: inventorySchema.properties.id }, required: ['id'] } as const

const ticketSchema = Type.Object({ ticket: Type.String({ minLength: 1, maxLength: 200 }) }, { additionalProperties: false })

/** What machines tell of themselves, and how a booted machine gets its credential. */
export const machineRoutes: FastifyPluginAsync<MachineRoutesOptions> = async (app, { machines, consoles, admission, tokens, authorize, emit, machineAt, servers }) => {
  // The ticket of a boot script is exchanged, once, for the credential of that machine.
  app.post<{ Body: Static<typeof ticketSchema> }>('/credentials', { config: { rateLimit: perMinute(120) }, schema: { body: ticketSchema } }, async (request, reply) => {
    const redeemed = await tokens.redeemTicket(request.body.ticket)
    const refuse = (machineId: string | undefined, why: string) => machineId !== undefined && emit({ machine: machineId, hop: 'ticket-refused', address: request.ip, why })
    if (redeemed === undefined) refuse(machineAt?.(ipv4Of(request.ip)), 'it is unknown or too old')
    if (redeemed?.use === 'again') refuse(redeemed.machine, 'it was used already')
    if (redeemed?.use === 'late') refuse(redeemed.machine, 'a later boot of the machine has used its own')
    if (redeemed?.use !== 'first') throw new HttpProblem(401, 'ticket: unknown, used already or too old; boot the machine again')
    const { machine } = redeemed
    // Somebody may have decided otherwise since the ticket was given.
    if (!admission.isAdmitted(await machines.read(machine))) {
      refuse(machine, 'the machine is not admitted')
      throw new HttpProblem(401, `the machine ${machine} is not admitted`)
    }
    emit({ machine, hop: 'credential' })
    request.identity = { role: 'worker', name: machine, isMachine: true }
    const own = await tokens.create(request.identity, credentialLifeSeconds, redeemed.boot)
    const answer: CredentialAnswer = {
      machine,
      credential: own,
      servers: servers().map(({ url, credential, fingerprint }) => ({ url, credential: credential ?? own, ...(fingerprint === undefined ? {} : { fingerprint }) })),
    }
    return reply.code(201).send(answer)
  })

  app.get<{ Querystring: Paging }>('/machines.json', { schema: { querystring: pagingSchema } }, async (request, reply) => {
    await authorize(request, may.look)
    const { items, next } = pageOf(await machines.list(), ({ id }) => id, request.query)
    linkNext(request, reply, next)
    return { version: 1, machines: items }
  })

  app.put<{ Params: { id: string }; Body: Inventory }>('/machines/:id.json', { schema: { body: inventorySchema } }, async (request) => {
    refuseOtherMachine(await authorize(request, may.work), request.body.id)
    const inventory = request.body
    if (inventory.id !== request.params.id) throw new HttpProblem(400, `id: expected '${request.params.id}' as in the path, got '${inventory.id}'`)
    await machines.record(inventory)
    emit({ machine: inventory.id, hop: 'worker', inventory })
    const answer: MachineAnswer = { scratchSerials: (await machines.read(inventory.id)).scratchSerials, ...packagesOf(request) }
    return answer
  })

  const authorizeOwn = async (request: FastifyRequest<{ Params: { id: string } }>, allowed: readonly Role[]): Promise<void> => {
    const { role, name } = await authorize(request, allowed)
    const { id } = request.params
    if (role === 'worker' && name !== id) throw new HttpProblem(403, `expected the credential of the machine ${id}, got that of ${name}`)
  }

  app.put<{ Params: { id: string }; Body: { labels: Labels } }>('/machines/:id/labels', { schema: { params, body: labelsBodySchema } }, async (request) => {
    await authorize(request, may.change)
    return machines.label(request.params.id, request.body.labels)
  })

  for (const [action, decide] of [['admit', admission.admit], ['refuse', admission.refuse]] as const) {
    app.post<{ Params: { id: string } }>(`/machines/:id/${action}`, { schema: { params: macParams } }, async (request) => {
      const { name } = await authorize(request, may.change)
      return decide(request.params.id, name)
    })
  }

  app.get<{ Params: { id: string } }>('/machines/:id/console', { schema: { params } }, async (request, reply) => {
    await authorize(request, may.look)
    return reply.type('text/plain; charset=utf-8').send(await consoles.read(request.params.id))
  })

  app.post<{ Params: { id: string }; Body: unknown }>('/machines/:id/console', { schema: { params } }, async (request, reply) => {
    await authorizeOwn(request, may.work)
    if (typeof request.body !== 'string') throw new HttpProblem(415, 'body: expected text/plain')
    await consoles.append(request.params.id, request.body)
    return reply.code(204).send()
  })

  app.put<{ Params: { id: string }; Body: MachineSystem }>('/machines/:id/system', { schema: { params, body: machineSystemSchema } }, async (request, reply) => {
    await authorizeOwn(request, may.work)
    await machines.settle(request.params.id, request.body)
    return reply.code(204).send()
  })

  app.delete<{ Params: { id: string } }>('/machines/:id/system', { schema: { params } }, async (request) => {
    await authorizeOwn(request, may.changeOrWork)
    await machines.release(request.params.id)
    return machines.read(request.params.id)
  })
}
