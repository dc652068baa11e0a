import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { run, start } from '../../../appliance/run.ts'
import { createDisk } from '../../../server/rack/disk-file.ts'
import { insideNamespace } from '../../../server/rack/inside-namespace.ts'
import { rackNetwork } from '../../../server/rack/network.ts'
import { withRack, type Rack } from '../../../server/rack/rack.ts'
import { openBrowser, signIn } from '../../server/web/browser.ts'
import { startServer, takeOver } from '../first-computer.ts'

/*
 * What runs inside the namespaces of the rack: a first computer, a bare machine, and a browser that looks at the console meanwhile. Its only argument is a
 * `ConsoleScene`; what was seen is written to `result`.
 */

export interface ConsoleScene {
  /** An empty directory. */
  directory: string
  /** Where the built appliance is. */
  appliance: string
  /** Data directory of an earlier first computer, which may have components. */
  earlier: string
  result: string
}

/** What the page showed, in the order in which it was looked at. */
export interface ConsoleSights {
  asking: string
  hardware: string
  /** What the kernel and the worker of the machine say. */
  said: string
  working: string
  timeline: string[]
  log: string
  cancelled: string
}

const { directory, appliance, earlier, result } = JSON.parse(process.argv[2] ?? '{}') as ConsoleScene
const serverAddress = `${rackNetwork.address}:8080`
const url = `http://${serverAddress}`
const mac = '52:54:00:77:06:01'
const id = mac.replaceAll(':', '-')

async function powerOn(rack: Rack) {
  const disk = { path: join(directory, 'm1.qcow2'), format: 'qcow2', bus: 'virtio', serial: 'console-disk' } as const
  await createDisk(disk.path, 4 * 1024 ** 3, run)
  return rack.startMachine({ name: 'm1', mac, firmware: 'bios', nic: 'virtio-net-pci', disks: [disk], memoryMiB: 1024, cpus: 2, boot: 'network' }, directory)
}

/** What a person would do, and see. */
async function look(page: Page, token: string): Promise<ConsoleSights> {
  await signIn(page, url, token)
  const card = (group: string) => page.locator(`.group.${group} .card`, { hasText: id })
  const panel = page.getByRole('complementary')
  await card('asking').waitFor()
  const asking = await card('asking').innerText()
  await card('asking').getByRole('link').click()
  await panel.getByRole('button', { name: 'Admit' }).click()

  await page.getByRole('link', { name: 'Jobs' }).click()
  await page.getByRole('button', { name: 'Add a job' }).click()
  await page.getByLabel('Recipe').selectOption('debian-12')
  await page.getByLabel('Id', { exact: true }).fill('seen')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await page.locator('[role=row][data-id="seen"]').waitFor()

  await page.getByRole('link', { name: 'Rack' }).click()
  await card('working').locator('.progress').waitFor()
  const working = await card('working').innerText()
  await card('working').getByRole('link').click()
  await panel.getByText('console-disk').first().waitFor()
  const hardware = await panel.innerText()
  const said = panel.getByRole('log', { name: `Console of ${id}` }).filter({ hasText: 'job claimed' })
  await said.waitFor()
  const [saidText] = await said.allInnerTexts()

  await panel.getByRole('link', { name: 'seen' }).first().click()
  await panel.getByRole('log').filter({ hasText: /\S/ }).waitFor()
  const log = await panel.getByRole('log').innerText()
  await panel.getByRole('figure').locator('li.step').first().waitFor()
  const timeline = await panel.getByRole('figure').locator('.what').allTextContents()
  await page.getByRole('button', { name: 'Cancel…' }).click()
  await page.getByRole('button', { name: 'Cancel the job' }).click()
  const row = page.locator('[role=row][data-id="seen"]', { hasText: 'cancelled' })
  await row.waitFor()
  return { asking, hardware, said: saidText!, working, timeline, log, cancelled: await row.innerText() }
}

await insideNamespace(run, async () => {
  await takeOver(earlier, join(directory, 'data'), ['components', 'packages'])
  const sights = await withRack({ run, start }, async (rack) => {
    const netboot = { interface: rackNetwork.bridge, range: '10.77.0.100-10.77.0.199' }
    const server = await startServer('data', { directory, appliance, listen: serverAddress, netboot, admit: 'ask' })
    const browser = await openBrowser()
    try {
      const page = await browser.newPage({ viewport: { width: 1500, height: 950 } })
      page.setDefaultTimeout(240_000)
      await powerOn(rack)
      return await look(page, await server.token('operator'))
    } finally {
      await browser.close()
      server.program.kill('SIGTERM')
    }
  })
  await writeFile(result, JSON.stringify(sights))
  await rm(directory, { recursive: true })
  return 0
})
