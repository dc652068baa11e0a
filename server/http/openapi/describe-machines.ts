import { diskPlanSchema } from '../../api/disk-plan.ts'
import { credentialSchema, machineAnswerSchema, machineListSchema, machineSchema, timelineListSchema, timelineSchema } from './answers.ts'
import { content, json, nothing, type RouteDescriptions } from './route-description.ts'

const binary = (description: string) => ({ 200: content(description, 'application/octet-stream') })
const package_ = { tag: 'Booting', summary: 'A file of a package archive, by way of this server, which keeps it', access: 'anyone', answers: binary('The file.') } as const

/** Machines, and what they fetch before they have a credential. */
export const machineDescriptions: RouteDescriptions = {
  'GET /machines.json': { tag: 'Machines', summary: 'The known machines', access: 'look', answers: { 200: json('The list; a header `Link` leads to the next page.', machineListSchema) } },
  'GET /machines/:id/timeline': { tag: 'Machines', summary: 'The hops of a machine since it was powered on, where it stopped and the likely cause', access: 'look', answers: { 200: json('The timeline.', timelineSchema) } },
  'GET /timelines.json': { tag: 'Machines', summary: 'Where every machine is on its way', access: 'look', answers: { 200: json('The timelines.', timelineListSchema) } },
  'PUT /machines/:id.json': { tag: 'Workers', summary: 'Tell what a machine consists of', access: 'work', answers: { 200: json('Which of its disks may be overwritten.', machineAnswerSchema) } },
  'PUT /machines/:id/labels': { tag: 'Machines', summary: 'Replace the labels of a machine', access: 'change', answers: { 200: json('The machine.', machineSchema) } },
  'GET /machines/:id/console': { tag: 'Machines', summary: 'The end of what a machine said: its kernel and its worker', access: 'look', answers: { 200: content('Lines of text.', 'text/plain') } },
  'POST /machines/:id/console': { tag: 'Workers', summary: 'Add to what the machine said', access: 'work', answers: { 204: nothing('It is kept.') } },
  'PUT /machines/:id/system': { tag: 'Workers', summary: 'Tell what was deployed to the machine', access: 'work', answers: { 204: nothing('It boots its own disk from now on.') } },
  'DELETE /machines/:id/system': { tag: 'Machines', summary: 'Give a machine back, which booted its own disk', access: 'changeOrWork', answers: { 200: json('The machine.', machineSchema) } },
  'POST /machines/:id/admit': { tag: 'Machines', summary: 'Admit a machine, which gets jobs from then on', access: 'change', answers: { 200: json('The machine.', machineSchema) } },
  'POST /machines/:id/refuse': { tag: 'Machines', summary: 'Refuse a machine, which gets nothing', access: 'change', answers: { 200: json('The machine.', machineSchema) } },
  'PUT /machines/:id/scratch/:serial': { tag: 'Machines', summary: 'Mark a disk as one that jobs may overwrite', access: 'change', answers: { 200: json('The machine.', machineSchema) } },
  'DELETE /machines/:id/scratch/:serial': { tag: 'Machines', summary: 'Take that mark away', access: 'change', answers: { 200: json('The machine.', machineSchema) } },
  'GET /machines/:id/plan': { tag: 'Machines', summary: 'What a job would erase on a machine, of a listed job, a recipe or an image', access: 'look', answers: { 200: json('What would happen to each disk.', diskPlanSchema) } },
  'POST /credentials': { tag: 'Workers', summary: 'Exchange the single-use ticket of a boot script for the credential of that machine', access: 'anyone', answers: { 201: json('The credential, and the job servers to walk.', credentialSchema) } },
  'GET /boot/ipxe': { tag: 'Booting', summary: 'The boot script of a machine, for iPXE', access: 'anyone', answers: { 200: content('The script.', 'text/plain') } },
  'GET /boot/vmlinuz': { tag: 'Booting', summary: 'The kernel', access: 'anyone', answers: binary('The kernel.') },
  'GET /boot/initramfs.img': { tag: 'Booting', summary: 'Stage 1', access: 'anyone', answers: binary('The initramfs.') },
  'GET /boot/stage2.squashfs': { tag: 'Booting', summary: 'Stage 2', access: 'anyone', answers: binary('The squashfs.') },
  'GET /packages/:mirror/*': package_,
  'GET /packages/*': package_,
}

/** The boot programs are what is found on the host. */
export const bootFileDescription = { tag: 'Booting', summary: 'A boot program, as TFTP has it too', access: 'anyone', answers: binary('The program.') } as const
