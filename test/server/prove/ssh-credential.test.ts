import { expect, test } from 'vitest'
import { sshCredential } from '../../../server/prove/ssh-credential.ts'

test('the credential is a tmpfiles.d fragment that writes the key for root alone', () => {
  const credential = sshCredential('ssh-ed25519 AAAAC3 ingot prove')
  const [name, value = ''] = credential.split('=', 2)
  expect(name).toBe('io.systemd.credential.binary:tmpfiles.extra')
  const [directory, file = ''] = Buffer.from(value, 'base64').toString().split('\n')
  expect(directory).toBe('d /root/.ssh 0700 root root -')
  expect(file).toMatch(/^f\+~ \/root\/\.ssh\/authorized_keys 0600 root root - \S+$/)
  expect(Buffer.from(file.split(' ').at(-1) ?? '', 'base64').toString()).toBe('ssh-ed25519 AAAAC3 ingot prove\n')
})
