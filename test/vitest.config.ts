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
      // Most of these wait for disks, clocks and other programs; side by side they take two thirds of the time.
      { extends: true, test: { name: 'programs', include: ['**/*.test.ts'], exclude: ['qemu/**', ...slow], maxWorkers: availableParallelism(), sequence: { groupOrder: 0 } } },
      // A virtual machine takes every processor there is.
      { extends: true, test: { name: 'machines', include: ['qemu/**/*.test.ts'], exclude: slow, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
})
