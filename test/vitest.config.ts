import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

/** What mounts filesystems. */
const disks = 'appliance/{capture,disks,layers,personalise,restore,resume,steps,worker}/**'
const withSlow = process.env.INGOT_SLOW_TESTS === '1'
const slow = withSlow ? [] : ['**/*.slow.test.ts']

export default defineConfig({
  cacheDir: join(import.meta.dirname, '../node_modules/.vite'),
  test: {
    root: import.meta.dirname,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      // Most of these wait for disks, clocks and other programs.
      { extends: true, test: { name: 'servers', include: ['**/*.test.ts'], exclude: [disks, 'qemu/**', ...slow], maxWorkers: availableParallelism() * 2, sequence: { groupOrder: 0 } } },
      // Not beside the ones above: a filesystem that is mounted while another test makes a mount namespace stays in use there for as long as that lasts.
      { extends: true, test: { name: 'disks', include: [`${disks}/*.test.ts`], exclude: slow, maxWorkers: availableParallelism() * 2, sequence: { groupOrder: 1 } } },
      // A virtual machine takes every processor there is, but waits now and then: beside the one that does the main job others try their firmware. The slow ones come one after the other.
      { extends: true, test: { name: 'machines', include: ['qemu/**/*.test.ts'], exclude: slow, maxWorkers: withSlow ? 1 : 2, sequence: { groupOrder: 2 } } },
    ],
  },
})
