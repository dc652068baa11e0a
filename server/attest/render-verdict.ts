import { oneLine } from '../commands/render-table.ts'
import { parts, type Finding, type Part } from './finding.ts'
import type { Verdict } from './verify-image.ts'

const titles: Record<Part, string> = { content: 'content', signature: 'signature', provenance: 'provenance', sbom: 'SBOM', proof: 'proof' }
const width = Math.max(...parts.map((part) => titles[part].length))

/** A verdict for people, line by line; the last one is the sum. */
export function renderVerdict({ image, version, digest, findings, good }: Verdict): string[] {
  const wrong = findings.filter(({ problems }) => problems.length > 0).map(({ part }) => titles[part])
  return [
    `${image}:${version}${digest === undefined ? '' : `  ${digest}`}`,
    ...findings.flatMap(renderFinding),
    good ? 'all is as it was signed' : `do not trust this image, for its ${wrong.join(', ')}`,
  ].map(oneLine)
}

function renderFinding({ part, tells, problems }: Finding): string[] {
  const title = titles[part].padEnd(width)
  if (problems.length === 0) return [`✓ ${title}  ${tells}`]
  return problems.map((problem, index) => (index === 0 ? `✗ ${title}  ${problem}` : `  ${' '.repeat(width)}  ${problem}`))
}
