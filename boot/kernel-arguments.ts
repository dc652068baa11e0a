/** What a boot script for the worker needs to know. */
export interface WorkerBoot {
  /** Base of the boot server, for example `http://10.77.0.1:8080`. */
  httpUrl: string
  /** sha256 of stage 2, for example `sha256:9f86…`. */
  stage2Digest: string
  /** Where the worker speaks to it, and the fingerprint by which it shows to be the one; without them it speaks plain HTTP. */
  https?: { url: string; fingerprint: string }
  /** Single-use ticket that the worker exchanges for its credential. */
  ticket: string
}

/** The arguments of the worker's kernel; `bootInterface` is the MAC address of the card that booted, as the boot program fills it in. */
export function workerKernelArguments({ httpUrl, stage2Digest, https, ticket }: WorkerBoot, bootInterface: string): string[] {
  return [
    `BOOTIF=01-${bootInterface}`,
    `ingot.server=${httpUrl}`,
    `ingot.stage2=${stage2Digest}`,
    ...(https === undefined ? [] : [`ingot.https=${https.url}`, `ingot.tls=${https.fingerprint}`]),
    `ingot.ticket=${ticket}`,
    // A kernel that panics boots again after 10 s instead of standing still.
    'panic=10',
    'console=tty0',
    'console=ttyS0,115200',
  ]
}
