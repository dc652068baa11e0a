import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { OverviewSnapshot } from '../../../server/api/overview.ts'

/** A server of one page: every machine and every job as plain HTML, without a script, rendered anew each time from what the server of the console tells. */
export interface PlainPage {
  url: string
  close(): Promise<void>
}

const escape = (text: unknown): string => String(text ?? '').replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
const cells = (values: readonly unknown[]): string => `<tr>${values.map((value) => `<td>${escape(value)}</td>`).join('')}</tr>`

export function renderPlainPage({ machines, jobs }: OverviewSnapshot): string {
  const machineRows = machines.map(({ id, state, hop, job, hardware, disks }) => cells([id, state, hop, job, hardware?.model, disks.map(({ serial }) => serial).join(' ')]))
  const jobRows = jobs.map(({ id, work, state, priority, attempt, worker, progress }, index) => cells([index + 1, id, work, state, priority ?? 0, attempt, worker, progress === undefined ? '' : `${progress.stepIndex + 1}/${progress.stepCount} ${progress.step}`]))
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Ingot</title><table id="machines">${machineRows.join('\n')}</table><table id="jobs">${jobRows.join('\n')}</table></html>`
}

export async function servePlainPage(overview: () => Promise<OverviewSnapshot>): Promise<PlainPage> {
  const server = createServer((_request, response) => {
    overview().then(
      (snapshot) => response.setHeader('content-type', 'text/html; charset=utf-8').end(renderPlainPage(snapshot)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => new Promise((resolve) => void server.close(() => resolve())) }
}
