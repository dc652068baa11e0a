import { join } from 'node:path'

/**
 * The file of a program of ours that runs in a thread or a process of its own: beside the module that asks, as it is, and beside it in the bundle of the
 * appliance too, for example `ownProgram(import.meta, 'frame-thread')`.
 */
export const ownProgram = ({ dirname, filename }: ImportMeta, name: string): string => join(dirname, `${name}${filename.endsWith('.ts') ? '.ts' : '.mjs'}`)
