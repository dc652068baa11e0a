import { build } from 'esbuild'
import { basename, dirname } from 'node:path'

/**
 * Bundles the worker and all it imports into ES modules for the appliance's Node, by file name, with the version of Ingot in place of
 * `__INGOT_VERSION__`. `worker.mjs` is the entry; what it imports only once it holds a job is apart, so that nothing else stands between
 * power-on and claim. Packages written as CommonJS call `require` for the modules of Node, which an ES module has to make for itself.
 */
export async function bundleWorker(entry: string, version: string): Promise<Map<string, Buffer>> {
  const result = await build({
    entryPoints: { worker: entry },
    splitting: true,
    outdir: '.',
    outExtension: { '.js': '.mjs' },
    chunkNames: 'worker-[hash]',
    absWorkingDir: dirname(entry),
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'esnext',
    define: { __INGOT_VERSION__: JSON.stringify(version) },
    legalComments: 'none',
    logLevel: 'silent',
    banner: { js: "import { createRequire as createRequireOfBundle } from 'node:module'\nconst require = createRequireOfBundle(import.meta.url)" },
  })
  return new Map(result.outputFiles.map((file) => [basename(file.path), Buffer.from(file.contents)]))
}
