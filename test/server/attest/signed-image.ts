import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { onTestFinished } from 'vitest'
import { createAttestor } from '../../../server/attest/create-attestor.ts'
import { subjectOf } from '../../../server/attest/attestation-types.ts'
import { putAttachment } from '../../../server/attest/put-attachment.ts'
import type { BuildFacts } from '../../../server/attest/build-facts.ts'
import { openSigningKey } from '../../../server/attest/signing-key.ts'
import { verifyImage, type Verdict } from '../../../server/attest/verify-image.ts'
import { mediaTypes } from '../../../server/api/media-types.ts'
import type { ProofRecord } from '../../../server/api/proof.ts'
import { addImage } from '../../../server/commands/image.ts'
import { openImageStore, type Image, type ImageStore } from '../../../server/image-store/open-image-store.ts'
import type { Registry, StoredManifest } from '../../../server/image-store/registry.ts'
import { digestOf, filled, sampleConfig, storeSample } from '../image-store/sample-image.ts'

export const tool = { name: 'ingot', version: '0.1.0' }
export const facts: BuildFacts = {
  recipe: sampleConfig().recipe,
  job: 'web-1',
  machine: '52-54-00-12-34-56',
  base: { name: 'base', version: 'base-1', digest: `sha256:${'b'.repeat(64)}` },
  startedAt: '2026-11-23T21:18:44.000Z',
  attempt: 1,
  components: [{ name: 'rootfs', digest: digestOf(Buffer.from('rootfs')), sizeBytes: 6 }],
}
const packages = [
  { name: 'libstdc++6', version: '12.2.0-14' },
  { name: 'nginx', version: '1:1.22.1-9+deb12u1' },
]

const consoleText = Buffer.from('Debian GNU/Linux 12 debian ttyS0\n\ndebian login: ')
export const bootedRecord = ({ name, digest }: Image): ProofRecord => ({
  version: 1,
  image: name,
  digest,
  proof: 'booted',
  boots: [{ firmware: 'bios', secureBoot: false, loginSeconds: 25.7, seconds: 27, checks: [{ check: 'run true', seconds: 1 }], console: digestOf(consoleText) }],
  programs: { qemu: '7.2.22' },
  accelerator: 'tcg',
  provenAt: '2026-11-23T21:21:00Z',
})

/** Attaches the record of a proof, as the proof does. */
export const attachProof = (registry: Registry, image: Image, record: ProofRecord) =>
  putAttachment(registry, image.name, {
    subject: subjectOf(image),
    artifactType: mediaTypes.proof,
    blobs: [
      { mediaType: mediaTypes.proof, bytes: Buffer.from(JSON.stringify(record)) },
      { mediaType: 'text/plain', bytes: consoleText },
    ],
  })

export const temporaryFolder = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-attest-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** A published image with its proof, signed by the key of its data directory, in a store that is opened there unless given. */
export async function openSigned({ data: givenData, store: given, record = bootedRecord }: { data?: string; store?: ImageStore; record?: ((image: Image) => ProofRecord) | 'absent' } = {}) {
  const data = givenData ?? (await temporaryFolder())
  const store = given ?? (await openImageStore(join(data, 'images')))
  onTestFinished(() => store.close())
  const key = await openSigningKey(data)
  const attestor = createAttestor({ registry: store.registry, key, tool, repositoryOf: (name) => `10.77.0.1:8080/${name}` })
  const publish = async (version: string, value = 2): Promise<Image> => {
    const config = sampleConfig({ packages, job: version, builtAt: `2026-11-23T21:20:0${value}.123Z` })
    const image = await store.publish('debian-12', version, (await storeSample(store, [filled(0, 1), filled(2 * 1024 * 1024, value)], config)).bytes)
    const proof = record === 'absent' ? {} : { proof: (await attachProof(store.registry, image, record(image))).digest }
    await attestor.attest(image, { ...facts, ...proof })
    return image
  }
  const image = await publish('job-1')
  const verify = (reference = 'job-1', by = key.publicKey): Promise<Verdict> => verifyImage('debian-12', reference, { registry: store.registry, key: by })
  return { data, store, key, attestor, publish, image, verify }
}

/** What is attached to an image under an artifact type: the manifest, read as JSON too. */
export async function attached(registry: Registry, { name, digest }: Image, artifactType: string): Promise<StoredManifest & { json: any }> {
  const found = (await registry.referrers(name, digest)).find((each) => each.artifactType === artifactType)
  if (found === undefined) throw new Error(`expected ${artifactType}, got none`)
  return { ...found, json: JSON.parse(found.bytes.toString()) }
}

/** Flips a bit in a stored file. */
export async function flip(path: string): Promise<void> {
  const file = await open(path, 'r+')
  const [byte] = (await readFile(path)).subarray(10, 11)
  await file.write(Buffer.from([byte! ^ 1]), 0, 1, 10)
  await file.close()
}

export const problemsOf = ({ findings }: Verdict) => Object.fromEntries(findings.filter(({ problems }) => problems.length > 0).map(({ part, problems }) => [part, problems.join('; ')]))

export async function fileOf(bytes: string | Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'file')
  await writeFile(path, bytes)
  return path
}

/** `ingot image …` as a person calls it. */
export async function ingotImage(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = []
  let code = 0
  const program = new Command('ingot').exitOverride()
  const context = { print: (line: string) => void lines.push(line), say: () => {}, signal: new AbortController().signal, exit: (wanted: number) => void (code = wanted), env }
  addImage(program, context as never)
  await program.parseAsync(['image', ...args], { from: 'user' })
  return { code, lines }
}
