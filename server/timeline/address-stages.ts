import { ignoredNote, localDiskNote } from '../../boot/offer.ts'
import type { MachineEvent } from '../api/event.ts'
import { times, type Stage, type Stages } from './stage.ts'

type AddressHop = 'dhcp-discover' | 'dhcp-offer' | 'dhcp-ack' | 'dhcp-refused' | 'dhcp-declined' | 'dhcp-elsewhere'
type Offer = Extract<MachineEvent, { hop: 'dhcp-offer' }>

const onItsWay = (doing: string, stops: Stage['stops']): Stage => ({ state: 'on-its-way', doing, ...(stops === undefined ? {} : { stops }) })

/** A file name or a URL without what iPXE fills in. */
const nameOf = (file: string): string => file.replace(/\?.*/, '')

/** A machine that was told what to boot has to come and get it. */
function told(file: string): Stage {
  const isHttp = file.startsWith('http:')
  const port = isHttp ? `TCP port ${new URL(nameOf(file)).port || '80'}` : 'UDP port 69 (TFTP)'
  const isFirmware = isHttp && nameOf(file).endsWith('.efi')
  return onItsWay(`is told to boot ${nameOf(file)}`, {
    afterSeconds: 90,
    happened: `was told to boot ${nameOf(file)} and never asked for it`,
    cause: `check that ${port} of this host passes every firewall${isFirmware ? ', and that the firmware set-up allows HTTP boot from a plain http:// address' : ''}`,
  })
}

/** From the first question of the firmware to an address. */
export const addressStages: Stages<AddressHop> = {
  'dhcp-discover': ({ event: { note, architecture } }) => {
    if (note === localDiskNote) return { state: 'own-disk', doing: note }
    if (note === ignoredNote) return { state: 'own-disk', doing: note }
    return onItsWay(`asks for an address (${architecture})`, {
      afterSeconds: note === undefined ? 60 : 0,
      happened: note === undefined ? 'asked for an address and got no answer' : `is given nothing to boot: ${note}`,
      cause: note === undefined ? 'see the log of `ingot serve`' : (causeOfNote(note) ?? 'see `netboot` in the configuration'),
    })
  },
  'dhcp-offer': ({ event, boot }) => {
    if (event.address === '') {
      return onItsWay(event.file === '' ? 'is invited to ask on port 4011' : `is told to boot ${nameOf(event.file)}`, {
        afterSeconds: 60,
        happened: 'was told what to boot, but took no address from any DHCP server',
        cause: 'in `mode: proxy` another DHCP server gives the addresses: check that it runs, reaches this network and has addresses left',
      })
    }
    const offers = boot.filter(({ hop }) => hop === 'dhcp-offer').length
    return onItsWay(`is offered ${event.address}`, {
      afterSeconds: 60,
      happened: `was offered ${event.address} ${times(offers)} and never asked for it`,
      cause: 'the offer does not reach it, or it follows another server: check cable and VLAN, spanning tree on its switch port (portfast), and `ingot doctor --config FILE`, which looks for other DHCP servers',
    })
  },
  'dhcp-ack': ({ event }) => told(event.file),
  'dhcp-refused': ({ event }) =>
    onItsWay('is refused an address', { afterSeconds: 60, happened: `was refused an address (${event.reason}) and did not ask for another`, cause: 'start the machine anew; if it happens again, two DHCP servers may be answering it' }),
  'dhcp-declined': ({ event }) =>
    onItsWay('declined its address', {
      afterSeconds: 60,
      happened: `found ${event.address} in use by another machine and did not ask for another`,
      cause: 'an address of `netboot.range` is set by hand somewhere: free it, or leave it out of the range',
    }),
  'dhcp-elsewhere': ({ event, boot }) => {
    const offer = boot.findLast((each): each is Offer => each.hop === 'dhcp-offer')
    const took = `took ${event.address || 'an address'} of the DHCP server ${event.server}`
    if (offer !== undefined && offer.address === '') {
      if (offer.file !== '') return told(offer.file)
      return onItsWay(took, {
        afterSeconds: 60,
        happened: `${took} and never asked on port 4011 what to boot`,
        cause: 'a firewall holds back UDP port 4011, or this firmware does not ask there: set `proxyReply: direct` for it under `netboot.machines`',
      })
    }
    return onItsWay(took, {
      afterSeconds: 60,
      happened: `${took}, which says nothing of us`,
      cause: 'two DHCP servers on one network: stop the other one, or boot beside it with `mode: proxy`',
    })
  },
}

function causeOfNote(note: string): string | undefined {
  if (note.includes('address of the range')) return 'widen `netboot.range`, or shorten `netboot.leaseSeconds`'
  if (note.includes('relay agent')) return 'name that network under `netboot.relayed`'
  if (note.startsWith('Secure Boot')) return 'do what it says, or switch Secure Boot off in the firmware set-up and leave `secureBoot` out for this machine'
  if (note.startsWith('no boot file')) return 'Debian 12 ships no iPXE for this firmware: set it to another kind of network boot, if it has one'
  return undefined
}
