/** A JSON Schema, as far as the page tells of it. */
interface Schema {
  type?: string
  description?: string
  properties?: Record<string, Schema>
  required?: readonly string[]
  items?: Schema
  enum?: readonly unknown[]
  const?: unknown
  pattern?: string
  format?: string
  anyOf?: readonly Schema[]
  minimum?: number
  maximum?: number
}

interface Content {
  content?: Record<string, { schema?: Schema }>
}

interface Operation {
  tags?: readonly string[]
  summary?: string
  description?: string
  parameters?: readonly { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[]
  requestBody?: Content
  responses: Record<string, Content & { description: string }>
}

/** An OpenAPI document, as far as the page tells of it. */
export interface ApiDocument {
  info: { title: string; version: string; description?: string }
  paths: Record<string, Record<string, Operation>>
}

/** Renders an OpenAPI document as a page that needs nothing else but `/api.css`: the operations under their tags, each to be opened. */
export function renderApiPage({ info, paths }: ApiDocument): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
  const tags = [...new Set(operations.map(({ operation }) => tagOf(operation)))].toSorted()
  const sections = tags.map((tag) => {
    const ofTag = operations.filter(({ operation }) => tagOf(operation) === tag)
    return `<section id="${slug(tag)}"><h2>${escape(tag)}</h2>\n${ofTag.map(renderOperation).join('\n')}\n</section>`
  })
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(info.title)} API</title><link rel="stylesheet" href="/api.css"></head>
<body>
<header><h1>${escape(info.title)} API <small>${escape(info.version)}</small></h1>
${prose(info.description ?? '')}
<p><a href="/openapi.json">openapi.json</a></p>
<nav aria-label="Sections">${tags.map((tag) => `<a href="#${slug(tag)}">${escape(tag)}</a>`).join(' ')}</nav></header>
<main>
${sections.join('\n')}
</main>
</body>
</html>
`
}

const tagOf = ({ tags = [] }: Operation): string => tags[0] ?? 'Other'
const slug = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')

function renderOperation({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
  const { summary = '', description = '', parameters = [], requestBody, responses } = operation
  const id = slug(`${method} ${path}`)
  const rows = parameters.map(({ name, in: where, required, description: said, schema = {} }) => [`${name}${required === true ? '' : '?'}`, where, describe(schema), said ?? schema.description ?? ''])
  const body = Object.values(requestBody?.content ?? {})[0]?.schema
  return `<details id="${id}"><summary><b class="${method}">${method.toUpperCase()}</b> <code>${escape(path)}</code> <span>${inline(summary)}</span></summary>
<p>${inline(description)}</p>
${rows.length > 0 ? `<h3>Parameters</h3>\n${table(rows)}` : ''}
${body === undefined ? '' : `<h3>Body</h3>\n${renderSchema(body)}`}
<h3>Answers</h3>
${Object.entries(responses).filter(([status]) => status !== 'default').map(([status, answer]) => renderAnswer(status, answer)).join('\n')}
</details>`
}

function renderAnswer(status: string, { description, content = {} }: Content & { description: string }): string {
  const [type, media] = Object.entries(content)[0] ?? []
  const shape = media?.schema === undefined || type !== 'application/json' ? '' : renderSchema(media.schema)
  return `<p><b>${status}</b> ${inline(description)} ${type === undefined ? '' : `<code>${escape(type)}</code>`}</p>\n${shape}`
}

/** The fields of an object, one a row. */
function renderSchema(schema: Schema): string {
  if (schema.properties === undefined) return `<p>${inline(describe(schema))} ${inline(schema.description ?? '')}</p>`
  const required = new Set(schema.required ?? [])
  return table(Object.entries(schema.properties).map(([name, field]) => [`${name}${required.has(name) ? '' : '?'}`, describe(field), field.description ?? '']))
}

/** A shape in a few words, for example `integer, 1 to 100` or `list of { name, mac }`. */
function describe(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((each) => JSON.stringify(each)).join(' or ')
  if (schema.anyOf !== undefined) return schema.anyOf.map(describe).join(' or ')
  if (schema.items !== undefined) return `list of ${describe(schema.items)}`
  if (schema.properties !== undefined) return `{ ${Object.keys(schema.properties).join(', ')} }`
  const { type = 'anything', format, minimum, maximum } = schema
  const range = minimum === undefined ? '' : maximum === undefined ? `, from ${minimum}` : `, ${minimum} to ${maximum}`
  return `${type}${format === undefined ? '' : ` (${format})`}${range}`
}

const table = (rows: readonly (readonly string[])[]): string =>
  `<table>${rows.map(([name = '', ...cells]) => `<tr><th scope="row"><code>${escape(name)}</code></th>${cells.map((cell) => `<td>${inline(cell)}</td>`).join('')}</tr>`).join('')}</table>`

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** What stands between backquotes is code. */
const inline = (text: string): string => escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

/** Paragraphs and lists, as the introduction has them. */
const prose = (text: string): string =>
  text
    .split('\n\n')
    .map((block) => (block.startsWith('- ') ? `<ul>${block.split('\n').map((line) => `<li>${inline(line.slice(2))}</li>`).join('')}</ul>` : `<p>${inline(block)}</p>`))
    .join('\n')

export const apiStyle = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 68rem; margin: 0 auto; padding: 1rem; }
h1 small { font-weight: normal; opacity: .7; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
details { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .4rem; margin: .4rem 0; padding: .4rem .8rem; }
summary { cursor: pointer; }
summary b { display: inline-block; min-width: 4rem; }
summary span { opacity: .8; }
.get { color: light-dark(#0b57a4, #7db8f5); } .post, .put, .patch { color: light-dark(#7a4b00, #efb95a); } .delete { color: light-dark(#a01414, #ff8f8f); }
h3 { margin: .8rem 0 .2rem; font-size: 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .2rem .8rem .2rem 0; font-weight: normal; border-top: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
th { white-space: nowrap; }
`
