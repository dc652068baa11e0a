/** What an operator has set for a machine or for an architecture; every field left out is the default. */
export interface BootPolicy {
  /** `worker` (default): the machine boots the worker. `local-disk`: it gets an address and nothing to boot. `ignore`: it is never answered. */
  boot?: 'worker' | 'local-disk' | 'ignore'
  /** What a machine does that asks what to boot when no job is for it (F6): `wait` (default) for one in the worker, or boot its `local-disk`. */
  withoutJob?: 'wait' | 'local-disk'
  /** Boot file in place of the one that `firmware.ts` has for its architecture, for example `ipxe.efi` where `snponly.efi` finds no network card. */
  file?: string
  /** Boot by what Microsoft and Debian signed: shim, GRUB and kernel. It also works where Secure Boot is off. Default false. */
  secureBoot?: boolean
  /**
   * How a proxy offer tells what to boot. `direct`: in the offer, with option 43 that ends the search for boot servers; firmware that never asks
   * on port 4011 needs it (HP DL380 G9, danderson/netboot #43). `port-4011`: the offer invites to that port. Default by firmware.
   */
  proxyReply?: 'direct' | 'port-4011'
}

/** A policy for whoever fits: the machine with this id, for example `52-54-00-12-34-56`, or every machine of this architecture (option 93). */
export type PolicyRule = BootPolicy & ({ machine: string } | { architecture: number })

/** The policy of one machine, field by field: what stands at the machine before what stands at its architecture, the first rule that says it. */
export function selectPolicy(rules: readonly PolicyRule[], { machine, architectures }: { machine: string; architectures: readonly number[] }): BootPolicy {
  const ofMachine = rules.filter((rule) => 'machine' in rule && rule.machine === machine)
  const ofArchitecture = rules.filter((rule) => 'architecture' in rule && architectures.includes(rule.architecture))
  const policy: BootPolicy = {}
  for (const { boot, withoutJob, file, secureBoot, proxyReply } of [...ofMachine, ...ofArchitecture]) {
    if (boot !== undefined) policy.boot ??= boot
    if (withoutJob !== undefined) policy.withoutJob ??= withoutJob
    if (file !== undefined) policy.file ??= file
    if (secureBoot !== undefined) policy.secureBoot ??= secureBoot
    if (proxyReply !== undefined) policy.proxyReply ??= proxyReply
  }
  return policy
}
