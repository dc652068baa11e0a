import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

const slow = process.env.INGOT_SLOW_TESTS === '1' ? [] : ['**/*.slow.test.ts']

export default defineConfig({
  cacheDir: join(import.meta.dirname, '../node_modules/.vite'),
  test: {
    root: import.meta.dirname,
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: [
      // Most of these wait for disks, clocks and other programs.
      { extends: true, test: { name: 'servers', include: ['**/*.test.ts'], exclude: ['appliance/**', 'qemu/**', ...slow], maxWorkers: availableParallelism(), sequence: { groupOrder: 0 } } },
      // One after the other: a virtual machine takes every processor there is, and a filesystem that is mounted while another test makes a mount
      // namespace stays in use there for as long as that lasts.
      { extends: true, test: { name: 'machines', include: ['{appliance,qemu}/**/*.test.ts'], exclude: slow, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
})
