import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, Page } from 'playwright-core'

/** Where something is looked at, and when it is there. */
export interface Sight {
  url: string
  /** What must be painted, as a CSS selector. */
  selector: string
}

/** A browser that has nothing kept; `prepare` may sign in. */
export async function withFreshContext<Result>(browser: Browser, prepare: (context: BrowserContext) => Promise<void>, use: (page: Page) => Promise<Result>): Promise<Result> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, reducedMotion: 'reduce' })
  try {
    await prepare(context)
    const page = await context.newPage()
    page.setDefaultTimeout(120_000)
    return await use(page)
  } finally {
    await context.close()
  }
}

/** Milliseconds from entering an address until what is looked for is painted, by the page's own clock. */
export async function timeToSight(page: Page, { url, selector }: Sight): Promise<number> {
  await page.addInitScript(watchFor, selector)
  await page.goto(url, { waitUntil: 'commit' })
  return told(page, 'seenMs')
}

/** What a script in the page tells by a name, once it does. The page itself may not be asked to wait for it: its policy forbids what that would evaluate. */
export async function told(page: Page, name: string): Promise<number> {
  for (;;) {
    const value = await page.evaluate((key) => (globalThis as unknown as Record<string, number | undefined>)[key], name)
    if (value !== undefined) return value
    await sleep(20)
  }
}

/** Runs in the page: a frame after what is looked for is there, it is painted. */
function watchFor(selector: string): void {
  const look = (): void => {
    if (document.querySelector(selector) === null) return void requestAnimationFrame(look)
    requestAnimationFrame(() => setTimeout(() => Object.assign(globalThis, { seenMs: performance.now() })))
  }
  requestAnimationFrame(look)
}
