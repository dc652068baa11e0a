import { expect, it } from 'vitest'
import { inNamespace, noNamespaces } from '../../../helpers/namespace.ts'

it.skipIf(noNamespaces)('a message that is repeated while its answer is on the way is answered once, and once more after that', async () => {
  expect(await inNamespace(new URL('repeated-scenario.ts', import.meta.url))).toEqual({ toThree: 1, toOneMore: 1 })
}, 70_000)
