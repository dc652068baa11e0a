import type { FastifyPluginAsync } from 'fastify'
import { Type, type Static } from 'typebox'
import { workerIdSchema } from '../../api/job.ts'
import { planDisks, type DiskPlan } from '../../api/disk-plan.ts'
import { diskTargetQuerySchema, type DiskTargetQuery, type FindDiskTarget } from '../../jobs/find-disk-target.ts'
import type { MachineRecord, MachineStore } from '../../machine-store.ts'
import { may, type Authorize } from '../auth.ts'
import { HttpProblem } from '../problem.ts'

export interface MachineDiskRoutesOptions {
  machines: Pick<MachineStore, 'read' | 'markScratch' | 'unmarkScratch'>
  authorize: Authorize
  findTarget: FindDiskTarget
}

export const scratchParamsSchema = Type.Object({ id: workerIdSchema, serial: Type.String({ minLength: 1, maxLength: 200, pattern: '^\\P{Cc}*$', description: 'the serial number of a disk' }) })
export const planParamsSchema = Type.Object({ id: workerIdSchema })
type WithSerial = { Params: Static<typeof scratchParamsSchema> }

/** Which disks of a machine jobs may overwrite, and what a job would do to them (F1). */
export const machineDiskRoutes: FastifyPluginAsync<MachineDiskRoutesOptions> = async (app, { machines, authorize, findTarget }) => {
  app.put<WithSerial>('/machines/:id/scratch/:serial', { schema: { params: scratchParamsSchema } }, async (request): Promise<MachineRecord> => {
    await authorize(request, may.change)
    const { id, serial } = request.params
    refuseUnknownSerial(await machines.read(id), serial)
    return machines.markScratch(id, serial)
  })

  app.delete<WithSerial>('/machines/:id/scratch/:serial', { schema: { params: scratchParamsSchema } }, async (request): Promise<MachineRecord> => {
    await authorize(request, may.change)
    return machines.unmarkScratch(request.params.id, request.params.serial)
  })

  app.get<{ Params: { id: string }; Querystring: DiskTargetQuery }>('/machines/:id/plan', { schema: { params: planParamsSchema, querystring: diskTargetQuerySchema } }, async (request): Promise<DiskPlan> => {
    await authorize(request, may.look)
    const { purpose, target } = await findTarget(request.query)
    return planDisks(withInventory(await machines.read(request.params.id)), target, purpose)
  })
}

/** A typing error marks nothing. Of a machine that was not seen yet any serial number may be marked. Throws `HttpProblem` 409 that tells those it has. */
export function refuseUnknownSerial({ id, inventory }: MachineRecord, serial: string): void {
  if (inventory === undefined || inventory.disks.some((disk) => disk.serial === serial)) return
  const known = inventory.disks.filter((disk) => disk.serial !== '').map(({ device, serial: own }) => `${own} (${device})`)
  throw new HttpProblem(409, `serial: expected that of a disk of ${id} as the disk tells it (${known.join(', ') || 'it has none with a serial number'}), got '${serial}'`)
}

/** Throws `HttpProblem` 404 for a machine that has not told of its disks. */
export function withInventory(record: MachineRecord): MachineRecord & Required<Pick<MachineRecord, 'inventory'>> {
  const { inventory } = record
  if (inventory === undefined) throw new HttpProblem(404, `the machine ${record.id} has not told of its disks yet: boot it from here once`)
  return { ...record, inventory }
}
