import { expect, it } from 'vitest'
import { selectPolicy, type PolicyRule } from '../../boot/policy.ts'

const machine = '52-54-00-12-34-56'
const rules: PolicyRule[] = [
  { architecture: 7, file: 'ipxe.efi', proxyReply: 'direct' },
  { machine, file: 'snponly.efi' },
  { machine: '52-54-00-00-00-01', boot: 'ignore' },
  { machine: '52-54-00-00-00-02', withoutJob: 'local-disk' },
  { architecture: 0, boot: 'local-disk' },
  { architecture: 9, file: 'undionly.kpxe' },
]

it.each([
  ['nobody', [11], {}],
  [machine, [7], { file: 'snponly.efi', proxyReply: 'direct' }],
  ['nobody', [7, 9], { file: 'ipxe.efi', proxyReply: 'direct' }],
  ['nobody', [0], { boot: 'local-disk' }],
  ['52-54-00-00-00-01', [0], { boot: 'ignore' }],
  ['52-54-00-00-00-02', [], { withoutJob: 'local-disk' }],
])('%s of architecture %j', (id, architectures, policy) => expect(selectPolicy(rules, { machine: id, architectures })).toEqual(policy))
