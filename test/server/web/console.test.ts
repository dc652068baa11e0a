import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { JobListAnswer } from '../../../server/api/job.ts'
import { newClaim } from '../http/job-server.ts'
import { openBrowser, signIn } from './browser.ts'
import { openConsoleServer, type ConsoleServer } from './console-server.ts'
import { jobIdOf, machineIdOf } from './fill-data.ts'
import { fillImages } from './fill-images.ts'

const slow = { timeout: 90_000 }
/** The machine that runs the tests may be busy with others. */
const soon = { timeout: 20_000 }

/** A machine that nobody has admitted. */
const stranger = '52-54-00-aa-bb-cc'

let server: ConsoleServer
let browser: Browser
let context: BrowserContext
let page: Page
/** What the page complained of. */
let complaints: string[]
beforeAll(async () => {
  server = await openConsoleServer({ machines: 20, jobs: 40 }, async (directory) => {
    await fillImages(directory)
    await writeFile(join(directory, 'machines', `${stranger}.json`), JSON.stringify({ admission: { state: 'waiting', at: new Date().toISOString() } }))
  })
  browser = await openBrowser()
}, 60_000)
afterAll(async () => {
  await browser.close()
  await server.close()
})
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1500, height: 950 }, reducedMotion: 'reduce' })
  page = await context.newPage()
  page.setDefaultTimeout(20_000)
  complaints = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => message.type() === 'error' && !/Failed to load resource/.test(message.text()) && complaints.push(message.text()))
})
afterEach(async () => {
  await context.close()
  expect(complaints).toEqual([])
})

const enter = async (to: string, role: 'viewer' | 'operator' = 'operator') => signIn(page, server.url, await server.tokens.create({ role, name: 'ada' }), to)
const listed = async (): Promise<string[]> => ((await (await server.ask('GET', '/jobs.json')).json()) as JobListAnswer).jobs.map(({ id }) => id)
const rowOf = (id: string) => page.locator(`[role=row][data-id="${id}"]`)

describe('signing in', slow, () => {
  test('a token that is unknown is told, and one that is known leads in and stays', async () => {
    await page.goto(server.url)
    await page.getByLabel('Token').fill('ingot_operator_none')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('this one is unknown or has ended').waitFor()
    await page.getByLabel('Token').fill(await server.tokens.create({ role: 'operator', name: 'ada' }))
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('Live').waitFor()
    await page.reload()
    await page.getByText('Live').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token').waitFor()
  })

  test('no script of another origin and none in the page itself may run', async () => {
    const answer = await page.goto(server.url)
    expect(answer!.headers()['content-security-policy']).toMatch(/default-src 'none';.*script-src 'self'/)
  })

  test('a viewer sees all and is offered nothing that would change it', async () => {
    await enter(`#/jobs/${jobIdOf(9)}`, 'viewer')
    await page.getByRole('heading', { name: jobIdOf(9) }).waitFor()
    await page.getByText('nginx cannot be fetched').first().waitFor()
    for (const name of ['Retry', 'Add a job', 'Cancel…', 'Remove…']) expect(await page.getByRole('button', { name }).count()).toBe(0)
    expect(await page.locator('.grip').count()).toBe(0)
  })
})

describe('the rack', slow, () => {
  test('F8 shows each machine where it is, and first those that stopped', async () => {
    await enter('#/rack')
    await page.getByRole('heading', { name: 'Working' }).waitFor()
    const groups = await page.locator('.group h2').allTextContents()
    expect(groups.slice(0, 2)).toEqual(['Asking to be admitted 1', expect.stringMatching(/^Stopped/)])
    expect(groups).toEqual(expect.arrayContaining(['Waiting for a job 8', 'On their own disk 2']))
    const failed = page.locator('.group.stopped .card', { hasText: machineIdOf(9) })
    expect(await failed.innerText()).toContain('failed job web-00009 in install-packages: apt-get ended with 100')
    const working = page.locator('.card', { hasText: machineIdOf(12) })
    expect(await working.innerText()).toMatch(/5\/8 configure-file\s+20 MB of 200 MB\s+5 MB\/s\s+36s left/)
    // One that waits, with its disks, takes less room than one that works.
    const heightOf = async (card: typeof working) => (await card.boundingBox())!.height
    expect(await heightOf(page.locator('.card', { hasText: machineIdOf(4) }))).toBeLessThan((await heightOf(working)) / 2)
  })

  test('F8 a machine tells its hardware, its disks with what may be done to them, its log, what it says on its console, and why it stopped', async () => {
    await enter(`#/rack/${machineIdOf(9)}`)
    const panel = page.getByRole('complementary')
    await panel.getByText('E: Unable to fetch some archives').waitFor()
    await panel.getByText('unpacking nginx-common (40 of 40)').waitFor()
    const text = await panel.innerText()
    for (const fact of ['Dell Inc. PowerEdge R640', '192 GiB', 'S4EWNX0M000009', 'holds data, never written', 'ext4 filesystem "data"', 'rack=b1', 'It has said nothing yet']) expect(text).toContain(fact)

    const credential = await server.tokens.create({ role: 'worker', name: machineIdOf(9) })
    const say = (body: string) => fetch(`${server.url}/machines/${machineIdOf(9)}/console`, { method: 'POST', headers: { authorization: `Bearer ${credential}`, 'content-type': 'text/plain' }, body })
    await say('kernel: [    1.500000] <b>sda</b>: I/O error\n')
    const box = panel.getByRole('log', { name: `Console of ${machineIdOf(9)}` })
    await box.getByText('<b>sda</b>: I/O error').waitFor()
    await say('worker: waits for a job\n')
    await box.getByText('worker: waits for a job').waitFor()
  })

  test('F1 a disk that holds data is given up only by one who was told its model, serial number and contents', async () => {
    await enter(`#/rack/${machineIdOf(17)}`)
    const panel = page.getByRole('complementary')
    const marks = async () => ((await (await server.ask('GET', '/machines.json')).json()) as { machines: { id: string; scratchSerials: string[] }[] }).machines.find(({ id }) => id === machineIdOf(17))!.scratchSerials
    await panel.getByRole('button', { name: 'Mark as scratch…' }).click()
    const text = await page.getByRole('dialog').innerText()
    for (const fact of ['SAMSUNG MZQL2480', '447 GiB', 'S4EWNX0M000017', machineIdOf(17), 'ext4 filesystem "data"']) expect(text).toContain(fact)
    await page.getByRole('button', { name: 'No, go back' }).click()
    expect(await marks()).toEqual([])
    await panel.getByRole('button', { name: 'Mark as scratch…' }).click()
    await page.getByRole('button', { name: 'Give up S4EWNX0M000017' }).click()
    await panel.getByText('marked scratch, may be overwritten').waitFor()
    expect(await marks()).toEqual(['S4EWNX0M000017'])
    await panel.getByRole('button', { name: 'Take the mark off' }).click()
    await panel.getByText('holds data, never written').waitFor()
    expect(await marks()).toEqual([])
  })

  test('a machine that fails while one looks comes to the front by itself', async () => {
    await enter('#/rack')
    await page.getByRole('heading', { name: 'Stopped' }).waitFor()
    expect(await page.locator('.group.stopped .card', { hasText: machineIdOf(4) }).count()).toBe(0)
    const worker = { authorization: `Bearer ${await server.tokens.create({ role: 'worker', name: machineIdOf(4) })}`, 'content-type': 'application/json', 'ingot-claim': newClaim() }
    const put = (body: object, more: Record<string, string>) => fetch(`${server.url}/status/${jobIdOf(24)}.json`, { method: 'PUT', headers: { ...worker, ...more }, body: JSON.stringify(body) })
    expect((await put({}, { 'if-none-match': '*' })).status).toBe(201)
    const failure = { step: 'partition', message: '<img src=x onerror=alert(1)> two disks fit', lastLines: [] }
    expect((await put({ state: 'failed', failure }, { 'if-match': '*' })).status).toBe(200)
    const card = page.locator('.group.stopped .card', { hasText: machineIdOf(4) })
    await card.waitFor()
    // What a machine says is text, whatever it looks like.
    expect(await card.innerText()).toContain('<img src=x onerror=alert(1)> two disks fit')
  })

  test('a machine that nobody knows asks to be admitted, and is', async () => {
    await enter('#/rack')
    await page.locator('.group.asking .card', { hasText: stranger }).getByRole('link').click()
    await page.getByRole('complementary').getByRole('button', { name: 'Admit' }).click()
    await expect.poll(() => page.locator('.group.asking').count(), soon).toBe(0)
    const { machines } = (await (await server.ask('GET', '/machines.json')).json()) as { machines: { id: string; admission?: object }[] }
    expect(machines.find(({ id }) => id === stranger)).toMatchObject({ admission: { state: 'admitted', by: 'ada' } })
  })

  test('is found by address, label, job and model', async () => {
    await enter('#/rack')
    await page.getByRole('heading', { name: 'Working' }).waitFor()
    await page.getByLabel('Find machines').fill('supermicro slot=8')
    await expect.poll(() => page.locator('.card .id').allTextContents(), soon).toEqual([machineIdOf(7)])
  })
})

describe('the jobs', slow, () => {
  test('stand in the order in which they are taken', async () => {
    await enter('#/jobs')
    await rowOf(jobIdOf(7)).waitFor()
    expect(await page.locator('[role=row][data-id]').evaluateAll((rows) => rows.toSorted((one, other) => Number(one.ariaRowIndex) - Number(other.ariaRowIndex)).map((row) => (row as HTMLElement).dataset.id))).toEqual((await listed()).slice(0, await page.locator('[role=row][data-id]').count()))
  })

  test('B4 are reordered by dragging', async () => {
    await enter('#/jobs')
    const moved = jobIdOf(13)
    const grip = await rowOf(moved).locator('.grip').boundingBox()
    const target = await rowOf(jobIdOf(8)).boundingBox()
    await page.mouse.move(grip!.x + 4, grip!.y + 8)
    await page.mouse.down()
    await page.mouse.move(grip!.x, target!.y + 20, { steps: 4 })
    await page.mouse.move(grip!.x, target!.y + 3, { steps: 2 })
    await page.locator('.drop').waitFor()
    await page.waitForTimeout(100)
    await page.mouse.up()
    await expect.poll(async () => (await listed()).indexOf(moved) - (await listed()).indexOf(jobIdOf(8)), soon).toBe(-1)
    await page.getByText(`${moved} is before ${jobIdOf(8)}`).waitFor()
  })

  test('B4 are reordered by the keyboard, which goes with the job', async () => {
    await enter('#/jobs')
    await rowOf(jobIdOf(16)).focus()
    const before = (await listed()).indexOf(jobIdOf(16))
    await page.keyboard.press('Alt+ArrowUp')
    await expect.poll(async () => (await listed()).indexOf(jobIdOf(16)), soon).toBe(before - 1)
    await page.keyboard.press('ArrowDown')
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-id')), soon).not.toBe(jobIdOf(16))
    await page.keyboard.press('Enter')
    await page.getByRole('complementary').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('complementary').count(), soon).toBe(0)
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('role')), soon).toBe('row')
  })

  test('B6 one that failed is retried, and one is cancelled only when that is meant', async () => {
    await enter(`#/jobs/${jobIdOf(19)}`)
    await page.getByRole('button', { name: 'Retry' }).click()
    await expect.poll(async () => (await rowOf(jobIdOf(19)).innerText()).replaceAll(/\s+/g, ' '), soon).toContain('available')
    await page.getByRole('button', { name: 'Cancel…' }).click()
    await page.getByRole('button', { name: 'No, go back' }).click()
    expect(await rowOf(jobIdOf(19)).innerText()).toContain('available')
    await page.getByRole('button', { name: 'Cancel…' }).click()
    await page.getByRole('button', { name: 'Cancel the job' }).click()
    await expect.poll(() => rowOf(jobIdOf(19)).innerText(), soon).toContain('cancelled')
  })

  test('a field of a new job that is wrong is told at the field, by the schema of the server', async () => {
    await enter('#/jobs')
    await page.getByRole('button', { name: 'Add a job' }).click()
    const id = page.getByLabel('Id', { exact: true })
    await id.fill('No Capitals')
    expect(await id.evaluate((input: HTMLInputElement) => [input.validity.patternMismatch, input.title])).toEqual([true, expect.stringContaining('lower-case letters')])
    await id.fill('web-1')
    expect(await id.evaluate((input: HTMLInputElement) => input.validity.valid)).toBe(true)
    const priority = page.getByLabel('Priority', { exact: true })
    await priority.fill('2000')
    expect(await priority.evaluate((input: HTMLInputElement) => input.validity.rangeOverflow)).toBe(true)
    await page.keyboard.press('Escape')
    await expect.poll(() => page.getByRole('dialog').count(), soon).toBe(0)
  })
})

describe('the timeline of a job', slow, () => {
  test('F8 shows its hops and steps, and how much of the whole each kind took', async () => {
    await enter(`#/jobs/${jobIdOf(9)}`)
    const picture = page.getByRole('figure')
    await picture.waitFor()
    expect((await picture.locator('.what').allTextContents()).slice(0, 6)).toEqual(['DHCP', 'snponly.efi', 'kernel', 'initramfs', 'stage 2', 'starts the worker'])
    expect(await picture.locator('li.step .what').allTextContents()).toEqual(['1/8 partition', '2/8 install-rootfs'])
    expect(await picture.locator('li.moment').allTextContents()).toEqual(['claimed52-54-00-70-00-09', 'failedapt-get ended with 100: nginx cannot be fetched'])
    expect(await picture.locator('figcaption').innerText()).toMatch(/booting [\d.]+ s \d+ %/)
  })
})

describe('the images', slow, () => {
  test('F2 tell proof, signature and size of each version', async () => {
    await enter('#/images')
    const row = page.getByRole('row', { name: /web-2/ })
    await row.waitFor()
    expect((await row.innerText()).replaceAll(/\s+/g, ' ')).toMatch(/web-2 ✓ BIOS, UEFI \+ Secure Boot ✓ signed .* 4 GiB 4/)
    expect(await page.getByRole('row', { name: /old/ }).innerText()).toMatch(/nobody told of one\s+– unsigned/)
  })

  test('one tells what changed since the version before, what its copies said, and where it is to be had', async () => {
    await enter('#/images/web/web-2')
    const panel = page.getByRole('complementary')
    await panel.getByText('3 packages changed').waitFor()
    const changes = await panel.getByRole('table').filter({ hasText: 'nginx' }).getByRole('row').allInnerTexts()
    expect(changes.slice(1).map((row) => row.replaceAll(/\s+/g, ' ').trim())).toEqual(['nginx 1.22.1-9+deb12u1 1.22.1-9+deb12u2', 'nginx-extras 1.22.1-9+deb12u1 gone', 'openssl – 3.0.17-1~deb12u2'])
    await panel.getByRole('button', { name: 'What it said on its console' }).first().click()
    await panel.getByText('web login:').waitFor()
    expect(await panel.getByRole('link', { name: 'qcow2' }).getAttribute('href')).toBe('/images/web/web-2/disk.qcow2')
  })
})

describe('for everybody', slow, () => {
  const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
  const violations = async (): Promise<string[]> => {
    await page.evaluate(await readFile(axe, 'utf8'))
    return page.evaluate(async () => {
      const { violations: found } = await (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }> } }).axe.run()
      return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`))
    })
  }

  test.each(['light', 'dark'] as const)('axe finds nothing to complain of in any view, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await page.goto(server.url)
    await page.getByLabel('Token').waitFor()
    expect(await violations()).toEqual([])
    await enter('#/rack')
    for (const [to, shown] of [
      [`#/rack/${machineIdOf(9)}`, 'Hardware'],
      [`#/jobs/${jobIdOf(9)}`, 'Log'],
      ['#/images/web/web-2', '3 packages changed'],
    ] as const) {
      await page.goto(`${server.url}/${to}`)
      await page.getByRole('complementary').getByText(shown, { exact: shown !== '3 packages changed' }).waitFor()
      expect(await violations()).toEqual([])
    }
    await page.goto(`${server.url}/#/jobs`)
    await page.getByRole('button', { name: 'Add a job' }).click()
    await page.getByLabel('Recipe').waitFor()
    expect(await violations()).toEqual([])
  })
})
