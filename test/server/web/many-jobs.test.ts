import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBrowser, signIn } from './browser.ts'
import { openConsoleServer, type ConsoleServer } from './console-server.ts'
import { jobIdOf } from './fill-data.ts'

const soon = { timeout: 30_000 }
const slow = { timeout: 90_000 }

let server: ConsoleServer
let browser: Browser
let page: Page
beforeAll(async () => {
  server = await openConsoleServer({ machines: 500, jobs: 10_000 })
  browser = await openBrowser()
  page = await browser.newPage({ viewport: { width: 1500, height: 950 }, reducedMotion: 'reduce' })
  page.setDefaultTimeout(30_000)
  await signIn(page, server.url, await server.tokens.create({ role: 'operator', name: 'ada' }))
}, 90_000)
afterAll(async () => {
  await browser.close()
  await server.close()
})

test('of 10,000 jobs only those in sight are drawn, and all are told of and reached', slow, async () => {
  await page.goto(`${server.url}/#/jobs`)
  const rows = page.locator('[role=row][data-id]')
  await rows.first().waitFor()
  expect(await rows.count()).toBeLessThan(80)
  expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('10001')
  await rows.first().focus()
  await page.keyboard.press('End')
  await page.locator(`[data-id="${jobIdOf(9999)}"]`).waitFor()
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex')), soon).toBe('10001')
  expect(await rows.count()).toBeLessThan(80)
})

test('one of 10,000 that changes is drawn anew where it stands', slow, async () => {
  await page.goto(`${server.url}/#/jobs`)
  await page.locator('[role=row][data-id]').first().waitFor()
  await page.locator('.rows').evaluate((box) => box.scrollTo(0, 0))
  expect((await server.ask('POST', `/jobs/${jobIdOf(507)}/cancel`)).status).toBe(200)
  await expect.poll(() => page.locator(`[data-id="${jobIdOf(507)}"]`).innerText(), soon).toContain('cancelled')
})

test('500 machines are on the rack, and a server that is started anew is followed again by itself', slow, async () => {
  await page.goto(`${server.url}/#/rack`)
  await expect.poll(() => page.locator('.card').count(), soon).toBe(500)
  const taken = page.waitForRequest((request) => request.url().endsWith('/overview/events') && request.headers()['last-event-id'] !== undefined)
  await server.restart()
  await taken
  await page.getByText('Live').waitFor()
  // The server that came back knows nothing of the revision that the page had, and tells all anew.
  expect((await server.ask('POST', `/jobs/${jobIdOf(9998)}/cancel`)).status).toBe(200)
  await page.goto(`${server.url}/#/jobs/${jobIdOf(9998)}`)
  await page.getByRole('complementary').getByText('cancelled').waitFor()
})

test('where there is nothing yet, the next step is told', slow, async () => {
  const empty = await openConsoleServer({ machines: 0, jobs: 0 })
  try {
    const other = await browser.newPage()
    await signIn(other, empty.url, await empty.tokens.create({ role: 'operator', name: 'ada' }), '#/rack')
    await other.getByText('Power on a machine that boots from the network').waitFor()
    await other.goto(`${empty.url}/#/jobs`)
    await other.getByText('ingot job add debian-12').waitFor()
    await other.goto(`${empty.url}/#/images`)
    await other.getByRole('link', { name: 'add a job' }).waitFor()
  } finally {
    await empty.close()
  }
})
