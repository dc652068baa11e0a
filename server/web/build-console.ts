import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { build } from 'esbuild'

/** A file of the console as it is served. */
export interface ConsoleFile {
  type: string
  content: Buffer
}

/** The page, and what it loads by file name; each of those names holds a digest of its content, so that it may be kept for ever. */
export interface ConsoleFiles {
  page: ConsoleFile
  assets: ReadonlyMap<string, ConsoleFile>
}

/** Where the page finds its files. */
export const assetPath = '/console/'

const types: Record<string, string> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
}

/** Bundles the console from its sources, in memory: a quarter of a second, and nothing that could be out of date lies around. */
export async function buildConsole(): Promise<ConsoleFiles> {
  const result = await build({
    entryPoints: { console: join(import.meta.dirname, 'main.tsx'), style: join(import.meta.dirname, 'style/console.css') },
    outdir: '.',
    entryNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    absWorkingDir: import.meta.dirname,
    bundle: true,
    write: false,
    minify: true,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    loader: { '.woff2': 'file', '.svg': 'file' },
    publicPath: assetPath,
    legalComments: 'none',
    logLevel: 'silent',
  })
  const assets = new Map(result.outputFiles.map(({ path, contents }) => [basename(path), { type: types[extname(path)] ?? 'application/octet-stream', content: Buffer.from(contents) }]))
  const icon = await readFile(join(import.meta.dirname, 'icon.svg'))
  const iconName = `icon-${createHash('sha256').update(icon).digest('hex').slice(0, 8)}.svg`
  assets.set(iconName, { type: types['.svg']!, content: icon })
  const named = (ending: string): string => `${assetPath}${[...assets.keys()].find((name) => name.endsWith(ending))}`
  const fonts = [...assets.keys()].filter((name) => /^inter-latin-wght-normal-.*\.woff2$/.test(name)).map((name) => `${assetPath}${name}`)
  const template = await readFile(join(import.meta.dirname, 'index.html'), 'utf8')
  const page = template
    .replace('{{script}}', named('.js'))
    .replace('{{style}}', named('.css'))
    .replace('{{icon}}', `${assetPath}${iconName}`)
    .replace('{{font}}', fonts[0] ?? '')
  return { page: { type: 'text/html; charset=utf-8', content: Buffer.from(page) }, assets }
}
