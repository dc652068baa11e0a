import { describe, expect, it } from 'vitest'
import { ignoredNote, localDiskNote } from '../../../boot/offer.ts'
import { diagnoseMachine } from '../../../server/timeline/diagnose.ts'
import { asked, eventsOf, given, machine, offered, sent, stalled, wants, wayTo } from './machine-events.ts'

/** What is told of a machine after these hops and so many seconds of silence. */
function after(hops: Parameters<typeof eventsOf>[0], seconds: number) {
  const events = eventsOf(hops)
  return diagnoseMachine(events, Date.parse(events.at(-1)!.time) + seconds * 1000)
}
const anHour = 3600
const progress = { stepIndex: 2, stepCount: 7, step: 'install-rootfs' }
const failure = { step: 'partition', message: 'no disk fits', lastLines: [] }
const again = [asked(), offered('undionly.kpxe'), given('undionly.kpxe')]
const scriptUrl = 'http://10.77.0.1:8080/boot/ipxe'

describe('F8 a machine that stopped shows where and the likely cause', () => {
  it.each([
    ['without an answer', [asked()], 'asked for an address and got no answer', 'log of `ingot serve`'],
    ['the range is full', [asked('BIOS', 'every address of the range is taken')], 'is given nothing to boot: every address of the range is taken', 'widen `netboot.range`'],
    ['Secure Boot by HTTP', [asked('x64 UEFI HTTP', 'Secure Boot does not go by UEFI HTTP boot')], 'is given nothing to boot: Secure Boot does not go by UEFI HTTP boot', 'do what it says'],
    ['offered, never requested', [asked(), offered('a'), asked(), offered('a'), asked(), offered('a')], 'was offered 10.77.0.100 three times and never asked for it', 'portfast'],
    ['another DHCP server was faster', [asked(), offered('a'), { hop: 'dhcp-elsewhere', address: '10.0.0.9', server: '10.0.0.1' }], 'took 10.0.0.9 of the DHCP server 10.0.0.1, which says nothing of us', 'mode: proxy'],
    ['proxy mode without a DHCP server', [asked('x64 UEFI'), offered('', '')], 'was told what to boot, but took no address from any DHCP server', 'check that it runs'],
    [
      'proxy mode, port 4011 never asked',
      [asked('x64 UEFI'), offered('', ''), { hop: 'dhcp-elsewhere', address: '10.0.0.9', server: '10.0.0.1' }],
      'took 10.0.0.9 of the DHCP server 10.0.0.1 and never asked on port 4011 what to boot',
      'proxyReply: direct',
    ],
    ['address in use', [asked(), offered('a'), given('a'), { hop: 'dhcp-declined', address: '10.77.0.100' }], 'found 10.77.0.100 in use by another machine and did not ask for another', 'set by hand'],
    ['told its file, never asked', again, 'was told to boot undionly.kpxe and never asked for it', 'UDP port 69'],
    ['told a URL, never asked', [asked('iPXE on BIOS'), offered(scriptUrl), given(`${scriptUrl}?mac=x`)], `was told to boot ${scriptUrl} and never asked for it`, 'TCP port 8080'],
    [
      'no block is acknowledged',
      [...again, ...[1, 2, 3].flatMap(() => [wants('undionly.kpxe'), stalled('undionly.kpxe', 1)])],
      'asked for undionly.kpxe three times, never acknowledged block 1',
      'check the firewall for UDP high ports',
    ],
    ['the same, asked from one port', [...again, wants('undionly.kpxe'), stalled('undionly.kpxe', 0, 4)], 'asked for undionly.kpxe four times, never acknowledged the options of the transfer', 'firewall'],
    ['lost on the way', [...again, wants('undionly.kpxe'), stalled('undionly.kpxe', 40)], 'asked for undionly.kpxe once, never acknowledged block 40', 'cable'],
    ['a file of somebody else', [...again, wants('pxelinux.0', false)], 'asked for pxelinux.0, which is not served here', 'option 67'],
    ['iPXE does not start on BIOS', wayTo('tftp'), 'fetched undionly.kpxe and has said nothing since', 'ipxe.pxe'],
    ['iPXE does not start on UEFI', [asked('x64 UEFI'), given('snponly.efi'), wants('snponly.efi'), sent('snponly.efi')], 'fetched snponly.efi and has said nothing since', 'netboot.secureBoot: true'],
    ['iPXE by HTTP does not start', [asked('x64 UEFI HTTP'), given(`${scriptUrl}.efi`), { hop: 'http', file: 'snponly.efi', bytes: 1, ms: 1 }], 'fetched snponly.efi and has said nothing since', 'Secure Boot'],
    ['shim does not start', [asked('x64 UEFI'), given('shimx64.efi'), sent('shimx64.efi'), wants('revocations_sku.efi', false)], 'fetched shimx64.efi and has said nothing since', 'UEFI CA'],
    ['shim refuses GRUB', [sent('shimx64.efi'), sent('grubx64.efi'), sent('mmx64.efi')], 'was refused GRUB by shim, which started its key manager', 'update shim-signed'],
    ['GRUB finds no server', [sent('shimx64.efi'), sent('grubx64.efi')], 'fetched grubx64.efi and has said nothing since', 'heeds only the one that gave the address'],
    ['no kernel', wayTo('script'), 'got its boot script and fetched no kernel', 'console'],
    ['no initramfs', wayTo('kernel').slice(0, -1), 'got kernel but no initramfs', 'memory'],
    ['the kernel does not start', wayTo('kernel'), 'got kernel and initramfs but never asked for stage 2', 'driver for the network card'],
    ['Linux runs but cannot fetch', wayTo('stage1'), 'started Linux, got an address there, and never fetched stage 2', 'MTU'],
    ['switched off while it loads', [...wayTo('stage1'), { hop: 'broken-off', file: 'stage2', bytes: 300, sizeBytes: 1000 }], 'broke off stage2 after 30 % of it', 'switched off'],
    ['stage 2 does not start', wayTo('stage2'), 'fetched stage 2, and its worker never asked for a credential', '256 MiB'],
    ['no credential', [...wayTo('stage2'), { hop: 'ticket-refused', address: 'x', why: 'it was used already' }], 'its worker is up but has no credential: the ticket of its boot script was refused (it was used already)', 'start the machine anew'],
    ['asked for by another', [...wayTo('ipxe'), { hop: 'script-refused', address: '10.77.0.9', why: 'it was given 10.77.0.100' }], 'was refused its boot script: 10.77.0.9 asked for it, and it was given 10.77.0.100', 'another machine asks in its name'],
    ['admitted too late', [...wayTo('ipxe'), { hop: 'admission', state: 'admitted', by: 'ada' }], 'was admitted and did not ask again', 'quarter of an hour'],
    ['a driver hangs', wayTo('credential'), 'its worker has a credential and never told of its hardware', 'driver of a disk'],
    ['gone in the midst of a step', [...wayTo('worker'), { hop: 'claim', job: 'j' }, { hop: 'step', job: 'j', progress }], 'said nothing for 2 minutes while it performs job j, step 3 of 7, install-rootfs', 'ingot job log j'],
    ['its job failed', [...wayTo('worker'), { hop: 'claim', job: 'j' }, { hop: 'failed', job: 'j', failure }], 'failed job j in partition: no disk fits', 'ingot job show j'],
    ['its job was taken from it', [...wayTo('worker'), { hop: 'claim', job: 'j' }, { hop: 'lost', job: 'j', loss: 'silent' }], 'fell silent in the midst of job j', 'console'],
  ] as [string, Parameters<typeof eventsOf>[0], string, string][])('%s', (_, hops, what, cause) => {
    expect(after(hops, anHour)).toMatchObject({ state: 'stopped', what, cause: expect.stringContaining(cause) as string })
  })
})

describe('a machine that goes on is where it is', () => {
  it.each([
    [[asked()], 'on-its-way', 'asks for an address (BIOS)'],
    [wayTo('firmware'), 'on-its-way', 'is told to boot undionly.kpxe'],
    [[...wayTo('firmware'), wants('undionly.kpxe')], 'on-its-way', 'fetches undionly.kpxe'],
    [wayTo('script'), 'on-its-way', 'reads its boot script'],
    [wayTo('stage1'), 'on-its-way', 'fetches stage 2'],
    [[...wayTo('worker'), { hop: 'claim', job: 'j' }, { hop: 'step', job: 'j', progress }], 'working', 'performs job j, step 3 of 7, install-rootfs'],
  ] as [Parameters<typeof eventsOf>[0], string, string][])('%#: %2$s', (hops, state, what) => {
    expect(after(hops, 5)).toMatchObject({ state, what })
    expect(after(hops, 5)).not.toHaveProperty('cause')
  })

  it.each([
    ['a worker without a job', wayTo('worker'), 'idle', 'waits for a job'],
    ['one whose image was received', [...wayTo('worker'), { hop: 'claim', job: 'j' }, { hop: 'image', job: 'j', image: 'web', version: 'v1', digest: 'd', blobBytes: 1, diskBytes: 1 }, { hop: 'performed', job: 'j' }], 'idle', 'has made web:v1, waits for a job'],
    ['one that an image was deployed to', [...wayTo('worker'), { hop: 'claim', job: 'j' }, { hop: 'performed', job: 'j' }], 'own-disk', 'starts what job j put on its disk'],
    ['one sent to its disk', [...wayTo('ipxe'), { hop: 'local-disk', address: 'x', why: 'web:v1 was deployed to it' }], 'own-disk', 'boots its own disk: web:v1 was deployed to it'],
    ['one that waits to be admitted', [...wayTo('ipxe'), { hop: 'admission', state: 'waiting', address: 'x' }], 'idle', `waits to be admitted: ingot machine admit ${machine}`],
    ['one that is refused', [...wayTo('ipxe'), { hop: 'admission', state: 'refused', by: 'ada' }], 'idle', 'is refused by ada'],
    ['one whose ticket a listener shows later', [...wayTo('worker'), { hop: 'ticket-refused', address: 'x', why: 'it was used already' }], 'idle', 'waits for a job'],
    ['one that somebody asks for later', [...wayTo('worker'), { hop: 'script-refused', address: 'x', why: 'y' }], 'idle', 'waits for a job'],
    ['one set to boot its disk', [asked('BIOS', localDiskNote), offered('')], 'own-disk', localDiskNote],
    ['one set to be ignored', [asked('BIOS', ignoredNote)], 'own-disk', ignoredNote],
    ['an operating system that renews its lease', [asked('none'), offered(''), given('')], 'own-disk', 'its operating system asks for an address'],
    ['a deployed one whose system renews its lease', [{ hop: 'local-disk', address: 'x', why: 'y' }, asked('none'), given('')], 'own-disk', 'boots its own disk: y'],
  ] as [string, Parameters<typeof eventsOf>[0], string, string][])('%s may stay so', (_, hops, state, what) => {
    expect(after(hops, 24 * anHour)).toMatchObject({ state, what })
  })

  it('what became of an earlier job says nothing of the one that it performs', () => {
    const hops: Parameters<typeof eventsOf>[0] = [...wayTo('worker'), { hop: 'claim', job: 'a' }, { hop: 'claim', job: 'b' }, { hop: 'lost', job: 'a', loss: 'unproven' }, { hop: 'performed', job: 'a' }]
    expect(after(hops, 5)).toMatchObject({ state: 'working', what: 'prepares job b' })
  })
  it('nothing is known of one that nothing was heard of', () => expect(diagnoseMachine([], 0)).toBeUndefined())
})

it('boots that end alike are counted', () => {
  const boot = wayTo('kernel')
  expect(after([...boot, ...boot, ...boot], anHour)?.what).toBe('got kernel and initramfs but never asked for stage 2 (3 boots in a row)')
  expect(after([...wayTo('worker'), ...boot], anHour)?.what).toBe('got kernel and initramfs but never asked for stage 2')
})
it('F6 a machine that comes back from its disk again and again has no system there', () => {
  const boot: Parameters<typeof eventsOf>[0] = [...wayTo('ipxe'), { hop: 'local-disk', address: 'x', why: 'y' }]
  expect(after([...boot, ...boot], 5)).toMatchObject({ state: 'own-disk' })
  expect(after([...boot, ...boot, ...boot], 5)).toMatchObject({ state: 'stopped', what: 'was sent to its own disk 3 times, and came back each time' })
  const daily = { ...asked(), afterSeconds: 86_400 }
  expect(after([...boot, daily, ...boot, daily, ...boot], 5)).toMatchObject({ state: 'own-disk' })
})
