// The boot services in a process of their own, for a test that kills it.
import type { TestNetwork } from '../../../helpers/test-network.ts'
import { serve } from '../serve.ts'

await serve(JSON.parse(process.argv[2] ?? '') as TestNetwork)
process.send?.('up')
