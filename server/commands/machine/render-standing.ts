import type { MachineStanding } from '../../api/timeline.ts'

const names = { 'on-its-way': 'on its way', idle: 'idle', working: 'working', 'own-disk': 'own disk', stopped: 'stopped' } as const satisfies Record<MachineStanding['state'], string>

/** Where a machine is, and below it why it stopped: `stopped: asked for … (since 2026-11-23T21:20:01.123Z)`, `likely cause: …`. */
export const renderStanding = ({ state, what, since, cause }: MachineStanding): string[] => [
  `${names[state]}: ${what} (since ${since})`,
  ...(cause === undefined ? [] : [`likely cause: ${cause}`]),
]
