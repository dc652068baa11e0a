import { build } from 'esbuild'
import { dirname } from 'node:path'

/**
 * Bundles the worker and all it imports into one ES module for the appliance's Node, with the version of Ingot in place of
 * `__INGOT_VERSION__`. Packages written as CommonJS call `require` for the modules of Node, which an ES module has to make for itself.
 */
export async function bundleWorker(entry: string, version: string): Promise<Buffer> {
  const result = await build({
    entryPoints: [entry],
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
  const [file] = result.outputFiles
  if (file === undefined) throw new Error(`esbuild made nothing of ${entry}`)
  return Buffer.from(file.contents)
}
