import { chromium, type Browser, type Page } from 'playwright-core'

/** Debian's Chromium, without what it would ask of the outside. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--disable-dev-shm-usage'],
  })

/** Opens the console and signs in with a token, as a person does. */
export async function signIn(page: Page, url: string, token: string, to = ''): Promise<void> {
  await page.goto(`${url}/${to}`)
  await page.getByLabel('Token').fill(token)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('navigation', { name: 'Views' }).waitFor()
}
