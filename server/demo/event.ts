import type { MachineEvent } from '../api/event.ts'
import type { ProofEvent } from '../api/proof.ts'

/** The parts of the demo. What the host does is told by a clock that starts with each, what a machine does by one that starts when it is powered on. */
export type Phase = 'prepare' | 'build' | 'prove'

/**
 * One thing that happened in the demo, for example `{ time: '2026-11-23T21:20:01.123Z', kind: 'power-on', machine: '52-54-00-77-00-01', name: 'm1',
 * hardware: 'BIOS, virtio-net-pci, 4 GiB virtio disk, 1 GiB memory' }`. `ingot demo --json` prints one per line.
 */
export type DemoEvent = { time: string } & (
  | { kind: 'phase'; phase: Phase; title: string }
  /** Work of this host, such as building the appliance: begun, on its way, done. */
  | { kind: 'task'; task: string; state: 'begun' | 'running' | 'done'; detail: string }
  | { kind: 'power-on'; machine: string; name: string; hardware: string }
  /** What the first computer tells of a machine. */
  | { kind: 'machine'; event: MachineEvent }
  | { kind: 'proof'; machine: string; event: Exclude<ProofEvent, { kind: 'power-on' | 'proven' }> }
  | { kind: 'proven'; machine: string; name: string; image: string; loginMs: number; checkedMs: number }
  | { kind: 'failed'; message: string; consoleTail: readonly string[]; consolePath?: string; log?: string }
  /** Every part happened. */
  | { kind: 'finished'; imagesDirectory: string; consolesDirectory: string; proofsDirectory: string }
)

/** A `DemoEvent` before it is given its time. */
export type NewDemoEvent = DemoEvent extends infer Each ? (Each extends DemoEvent ? Omit<Each, 'time'> : never) : never
export type EmitDemo = (event: NewDemoEvent) => void
