/**
 * The SMBIOS OEM string that lets the owner of `publicKey` in as root, on a system that knows nothing of us: systemd reads it as the credential
 * `tmpfiles.extra` and writes root's `authorized_keys` at boot. It stands in the machine's firmware, not on its disk.
 * Source: systemd.system-credentials(7), tmpfiles.d(5) (`~`: the argument is base64), systemd 252 and later.
 */
export function sshCredential(publicKey: string): string {
  const lines = [
    'd /root/.ssh 0700 root root -',
    `f+~ /root/.ssh/authorized_keys 0600 root root - ${base64(`${publicKey}\n`)}`,
  ]
  return `io.systemd.credential.binary:tmpfiles.extra=${base64(`${lines.join('\n')}\n`)}`
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
