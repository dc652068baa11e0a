import { describeAsked } from '../../../boot/asked.ts'
import type { Emit } from '../../event-log.ts'
import type { Question } from './question.ts'

/** Makes it an event when a machine chooses the address of another server. */
export function tellElsewhere({ machine, type, requestedAddress, serverIdentifier }: Question, emit: Emit, ownAddress: string): void {
  if (type !== 'request' || serverIdentifier === undefined || serverIdentifier === ownAddress) return
  emit({ machine, hop: 'dhcp-elsewhere', address: requestedAddress ?? '', server: serverIdentifier })
}

/** Makes a DISCOVER an event of its machine; `note` says why nothing is offered to it, or nothing to boot. */
export function tellAsked({ machine, type, asked, requestedAddress }: Question, emit: Emit, note: string | undefined): void {
  if (type !== 'discover') return
  emit({
    machine,
    hop: 'dhcp-discover',
    architecture: describeAsked(asked),
    vendorClass: asked.vendorClass,
    address: requestedAddress ?? '',
    ...(note === undefined ? {} : { note }),
  })
}
