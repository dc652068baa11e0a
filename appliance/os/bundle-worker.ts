import { createRequire, isBuiltin } from 'node:module'
import { basename, join, relative } from 'node:path'
import { build, type Plugin } from 'esbuild'

const projectDirectory = join(import.meta.dirname, '../..')

/** What the worker starts in threads and processes of their own, by file name (see `ownProgram`). */
export const besideWorker = {
  'frame-thread': join(projectDirectory, 'appliance/capture/frame-thread.ts'),
  'place-thread': join(projectDirectory, 'appliance/restore/place-thread.ts'),
  'serve-disk': join(projectDirectory, 'appliance/layers/serve-disk.ts'),
} as const

/**
 * Bundles programs of the appliance and all they import into ES modules for its Node, by file name, with the version of Ingot in place of
 * `__INGOT_VERSION__`: `{ worker: '/…/main.ts' }` gives `worker.mjs`. What a program imports only once it holds a job is apart, so that nothing else
 * stands between power-on and claim.
 */
export async function bundleWorker(entries: Readonly<Record<string, string>>, version: string): Promise<Map<string, Buffer>> {
  const result = await build({
    entryPoints: entries,
    splitting: true,
    outdir: '.',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'worker-[hash]',
    absWorkingDir: import.meta.dirname,
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'esnext',
    define: { __INGOT_VERSION__: JSON.stringify(version) },
    // Its build for browsers is the same logger without threads, files and transports, which would all be loaded before the claim.
    alias: { pino: createRequire(import.meta.url).resolve('pino/browser.js') },
    plugins: [builtinsAsNeeded],
    legalComments: 'none',
    logLevel: 'silent',
  })
  return new Map(result.outputFiles.map((file) => [basename(file.path), Buffer.from(file.contents)]))
}

/**
 * Takes the modules of Node as CommonJS. Imported as an ES module each of them tells all its exports at once, also those that it makes when they
 * are first used: `node:http` alone then loads Node's own fetch, HTTP/2, TLS and web streams, 0.2 s of an emulated machine's way to its claim.
 * Source: Node, `lib/internal/bootstrap/realm.js`, `getESMFacade`.
 */
const builtinsAsNeeded: Plugin = {
  name: 'builtins-as-needed',
  setup({ onResolve, onLoad }) {
    // One of its own for each importer: shared by several chunks it would become a file of its own, which costs more to load than it holds.
    onResolve({ filter: /./ }, ({ path, importer }) => (isBuiltin(path) ? { path, suffix: `?${relative(projectDirectory, importer)}`, namespace: 'builtin', sideEffects: false } : undefined))
    onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({ contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})` }))
  },
}
