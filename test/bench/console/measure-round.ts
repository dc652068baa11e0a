import type { Browser, BrowserContext } from 'playwright-core'
import { signIn } from '../../server/web/browser.ts'
import type { BenchServer } from '../jobs/job-server.ts'
import { timeToSight, told, withFreshContext } from './measure-page.ts'
import type { ConsoleRound, PageTimes } from './options.ts'

export interface RoundOptions {
  browser: Browser
  server: Pick<BenchServer, 'url' | 'operatorToken'>
  /** Where the same is a plain page. */
  plainUrl: string
  /** A job in sight at the top of the list, and the number of the round, which becomes its priority. */
  job: string
  number: number
}

/** Measures both sides, one right after the other. */
export async function measureRound(options: RoundOptions): Promise<ConsoleRound> {
  return { console: await measureConsole(options), plain: await measurePlain(options) }
}

async function setPriority({ server, job }: RoundOptions, priority: number): Promise<void> {
  const answer = await fetch(`${server.url}/jobs/${job}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${server.operatorToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ priority }),
  })
  if (!answer.ok) throw new Error(`PATCH /jobs/${job}: ${answer.status} ${await answer.text()}`)
}

async function measureConsole(options: RoundOptions): Promise<PageTimes> {
  const { browser, server, job, number } = options
  // Signed in as a browser that has nothing of the page kept.
  const prepare = async (context: BrowserContext): Promise<void> => {
    const page = await context.newPage()
    await signIn(page, server.url, server.operatorToken)
    await page.close()
    const cookies = await context.cookies()
    await context.clearCookies()
    await context.addCookies(cookies)
  }
  const visit = <Result>(use: Parameters<typeof withFreshContext<Result>>[2]) => withFreshContext(browser, prepare, use)
  const rackMs = await visit((page) => timeToSight(page, { url: `${server.url}/#/rack`, selector: '.card .id' }))
  return visit(async (page) => {
    const jobsMs = await timeToSight(page, { url: `${server.url}/#/jobs`, selector: '[role=row][data-id]' })
    const priority = 100 + number * 2
    await page.evaluate(watchPriority, { job, priority: String(priority) })
    const beganMs = Date.now()
    await setPriority(options, priority)
    return { rackMs, jobsMs, updateMs: (await told(page, 'updatedAt')) - beganMs }
  })
}

/** Runs in the page: tells when a job is painted with a priority. Page and server are on one host, and share its clock. */
function watchPriority({ job, priority }: { job: string; priority: string }): void {
  const look = (): void => {
    const cell = document.querySelector(`[role=row][data-id="${job}"] > :nth-child(5)`)
    if (cell?.textContent !== priority) return void requestAnimationFrame(look)
    requestAnimationFrame(() => setTimeout(() => Object.assign(globalThis, { updatedAt: Date.now() })))
  }
  requestAnimationFrame(look)
}

async function measurePlain(options: RoundOptions): Promise<PageTimes> {
  const { browser, plainUrl, number } = options
  const visit = (selector: string) => withFreshContext(browser, async () => {}, (page) => timeToSight(page, { url: plainUrl, selector }))
  const rackMs = await visit('#machines td')
  const jobsMs = await visit('#jobs td')
  const priority = 101 + number * 2
  const beganMs = performance.now()
  await setPriority(options, priority)
  const changedMs = performance.now() - beganMs
  // Reading it anew is the only way to see what changed.
  return { rackMs, jobsMs, updateMs: changedMs + (await visit(`#jobs td:nth-child(5)`)) }
}
