import { chooseBoot, type KnownAtBoot } from '../../boot/choose-boot.ts'
import * as grub from '../../boot/grub-config.ts'
import * as ipxe from '../../boot/ipxe-script.ts'
import { ipxeScriptUrl } from '../../boot/offer.ts'
import type { Emit } from '../event-log.ts'

export interface BootScriptsOptions {
  /** Base of this HTTP service as machines reach it, for example `http://10.77.0.1:8080`. */
  httpUrl: string
  /** Where workers speak to it, and the fingerprint by which it shows to be the one; there, by plain HTTP, unless given. */
  https?: { url: string; fingerprint: string }
  /** For example `sha256:9f86…`. */
  stage2Digest: string
  /** Makes the single-use ticket that the worker of this machine exchanges for its credential. */
  issueTicket: (machine: string) => Promise<string>
  /** What decides whether a machine boots the worker or its own disk. */
  knownAtBoot: (machine: string) => Promise<KnownAtBoot>
  /** Writes down that a machine asked which is not admitted. */
  onWaiting: (machine: string, address: string) => Promise<void>
  emit: Emit
}

/** The script that a machine is to run, in the language of the boot program that asks for it; each is an event of the machine. */
export type BootScripts = (language: 'ipxe' | 'grub', machine: string, address: string) => Promise<string>

const renderers = {
  ipxe: { worker: ipxe.renderWorkerScript, wait: ipxe.renderWaitScript, localDisk: ipxe.renderLocalDiskScript },
  grub: { worker: grub.renderWorkerConfig, wait: grub.renderWaitConfig, localDisk: grub.renderLocalDiskConfig },
}

export function createBootScripts({ httpUrl, https, stage2Digest, issueTicket, knownAtBoot, onWaiting, emit }: BootScriptsOptions): BootScripts {
  return async (language, machine, address) => {
    const choice = chooseBoot(await knownAtBoot(machine))
    if (choice.boot === 'local-disk') {
      emit({ machine, hop: 'local-disk', address, why: choice.why })
      return renderers[language].localDisk(choice.why)
    }
    if (choice.boot === 'wait') {
      await onWaiting(machine, address)
      return renderers[language].wait(machine, ipxeScriptUrl(httpUrl))
    }
    const ticket = await issueTicket(machine)
    emit({ machine, hop: 'boot-script', address })
    return renderers[language].worker({ httpUrl, stage2Digest, ...(https === undefined ? {} : { https }), ticket })
  }
}
