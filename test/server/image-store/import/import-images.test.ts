import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { run } from '../../../../appliance/run.ts'
import { verifyImage } from '../../../../server/attest/verify-image.ts'
import { attachmentTag } from '../../../../server/image-store/attachment-tag.ts'
import { openImageFile } from '../../../../server/image-store/export/open-image-file.ts'
import { writeImageFile } from '../../../../server/image-store/export/write-image-file.ts'
import { importImages } from '../../../../server/image-store/import/import-images.ts'
import { createImageStore, openImageStore, type Image, type ImageStore } from '../../../../server/image-store/open-image-store.ts'
import { createRegistryClient } from '../../../../server/image-store/registry-client.ts'
import { createRemoteRegistry } from '../../../../server/image-store/remote-registry.ts'
import { openUploads } from '../../../../server/image-store/upload-store.ts'
import { openSigned } from '../../attest/signed-image.ts'
import { registryUser, startDockerRegistry } from '../docker-registry.ts'
import { makeFolder, publishShape } from '../export/exported-image.ts'
import { startImageServer } from '../image-server.ts'
import { chunkSizeBytes, digestOf } from '../sample-image.ts'

const mib = 1024 * 1024
const shape = { diskSizeBytes: 6 * mib + 512, chunkSizeBytes, used: [0, 2, 6] }
const name = 'debian-12'

/** Attaches a note to a manifest, under a tag if wanted, and returns its digest. */
async function attach(store: ImageStore, subject: { digest: string; size: number }, text: string, tag?: string): Promise<string> {
  const blobs = store.registry.blobs(name)
  const [content, empty] = [Buffer.from(text), Buffer.from('{}')]
  for (const bytes of [content, empty]) await blobs.write(digestOf(bytes), [bytes])
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const described = (type: string, bytes: Buffer) => ({ mediaType: type, digest: digestOf(bytes), size: bytes.length })
  const manifest = {
    ...{ schemaVersion: 2, mediaType, artifactType: 'text/x-note', config: described('application/vnd.oci.empty.v1+json', empty), layers: [described('text/plain', content)] },
    ...(tag === undefined || text.includes('about') ? { subject: { mediaType, ...subject } } : {}),
  }
  const bytes = Buffer.from(JSON.stringify(manifest))
  return (await store.putManifest(name, tag ?? digestOf(bytes), bytes, mediaType)).digest
}

/** An archive of an image with two notes about it, one of them found by a tag alone, and a note about a note. */
const makeArchive = async (path: string) => {
  const { store, image } = await publishShape(shape)
  const subject = { digest: image.digest, size: image.manifestBytes }
  const note = await attach(store, subject, 'about the image')
  const aboutNote = await attach(store, { digest: note, size: (await store.registry.read(name, note))!.sizeBytes }, 'about the note')
  const signed = await attach(store, subject, 'signature', attachmentTag(image.digest, 'sig'))
  await attach(store, { digest: digestOf(Buffer.from('other')), size: 5 }, 'about another')
  await writeImageFile(await openImageFile(store, image, 'tar'), store.registry.blobs(name), path)
  return { image, notes: { note, aboutNote, signed } }
}
const emptyStore = async () => openImageStore(await makeFolder())
const diskBytes = async (store: ImageStore, image: Image): Promise<Buffer> => {
  const path = join(await makeFolder(), 'raw')
  await writeImageFile(await openImageFile(store, image, 'raw'), store.registry.blobs(name), path)
  return readFile(path)
}

test('an archive is taken in whole: the image under its name and digest, and all that is about it', async () => {
  const path = join(await makeFolder(), 'image.tar')
  const { image, notes } = await makeArchive(path)
  const store = await emptyStore()
  const [imported] = await importImages(store, path)
  expect(imported).toMatchObject({ isNew: true, blobs: 4 + 3 + 1, attachments: 3, image: { name, version: 'job-1', digest: image.digest } })
  const referrers = async (digest: string) => (await store.registry.referrers(name, digest)).map((each) => each.digest)
  expect(await referrers(image.digest)).toEqual([notes.note])
  expect(await referrers(notes.note)).toEqual([notes.aboutNote])
  expect((await store.registry.read(name, attachmentTag(image.digest, 'sig')))!.digest).toBe(notes.signed)
  // What goes out again is the same archive.
  const again = join(await makeFolder(), 'again.tar')
  await writeImageFile(await openImageFile(store, imported!.image, 'tar'), store.registry.blobs(name), again)
  expect((await readFile(again)).equals(await readFile(path))).toBe(true)
})

test('F2 an image that was proven and signed here passes for it elsewhere, by the key of its builder', async () => {
  const { store, image, key, verify } = await openSigned()
  const path = join(await makeFolder(), 'image.tar')
  await writeImageFile(await openImageFile(store, image, 'tar'), store.registry.blobs(name), path)
  const other = await emptyStore()
  expect(await importImages(other, path)).toMatchObject([{ isNew: true, attachments: 4 }])
  const verdict = await verifyImage(name, 'job-1', { registry: other.registry, key: key.publicKey })
  expect(verdict).toEqual(await verify())
  expect(verdict).toMatchObject({ good: true, digest: image.digest })
})

test('the same again is no error and moves nothing; what is in part there already moves the rest', async () => {
  const path = join(await makeFolder(), 'image.tar')
  const { image } = await makeArchive(path)
  const store = await emptyStore()
  const blobs = store.registry.blobs(name)
  await importImages(store, path)
  expect(await importImages(store, path)).toMatchObject([{ isNew: false, blobs: 0, bytes: 0, image: { digest: image.digest } }])
  await store.remove(name, 'job-1')
  await blobs.quarantine(image.manifest.layers[1]!.digest)
  expect(await importImages(store, path)).toMatchObject([{ isNew: true, blobs: 1, bytes: image.manifest.layers[1]!.size }])
  expect((await store.list()).length).toBe(1)
})

test('an archive goes out of a registry and into one, with its credentials', { timeout: 60_000 }, async () => {
  const registry = await startDockerRegistry()
  onTestFinished(registry.close)
  const path = join(await makeFolder(), 'image.tar')
  const { image, notes } = await makeArchive(path)
  const remote = createImageStore(createRemoteRegistry(createRegistryClient({ url: registry.url, credentials: registryUser })), await openUploads(await makeFolder()))
  const [imported] = await importImages(remote, path)
  expect(imported).toMatchObject({ isNew: true, attachments: 3, image: { digest: image.digest } })
  expect((await remote.registry.referrers(name, image.digest)).map(({ digest }) => digest)).toEqual([notes.note])
  const again = join(await makeFolder(), 'again.tar')
  await writeImageFile(await openImageFile(remote, await remote.resolve(name), 'tar'), remote.registry.blobs(name), again)
  expect((await readFile(again)).equals(await readFile(path))).toBe(true)
  expect((await diskBytes(remote, imported!.image)).length).toBe(shape.diskSizeBytes)
  await writeFile(registry.blobPath(image.manifest.layers[0]!.digest), 'damaged')
  await expect(diskBytes(remote, imported!.image)).rejects.toMatchObject({ code: 'image-corrupt', message: expect.stringContaining('the chunk at byte 0 of the disk is damaged') })
})

describe('skopeo', () => {
  test('copies an archive of ours to another first computer, and an archive that it writes is taken in', { timeout: 60_000 }, async () => {
    const folder = await makeFolder()
    const path = join(folder, 'image.tar')
    const { image } = await makeArchive(path)
    const server = await startImageServer()
    onTestFinished(server.close)
    const flags = ['--quiet', '--src-tls-verify=false', '--dest-tls-verify=false', '--src-creds=any:operator', '--dest-creds=any:operator']
    const there = `docker://${new URL(server.url).host}/${name}:job-1`
    const notCreds = flags.filter((flag) => !flag.startsWith('--src-'))
    await run('skopeo', ['copy', ...notCreds, `oci-archive:${path}:${name}:job-1`, there])
    expect(await server.store.list()).toMatchObject([{ name, version: 'job-1', digest: image.digest }])
    const back = join(folder, 'back.tar')
    await run('skopeo', ['copy', ...flags.filter((flag) => !flag.startsWith('--dest-')), there, `oci-archive:${back}`])
    const store = await emptyStore()
    await expect(importImages(store, back)).rejects.toMatchObject({ code: 'argument-invalid', message: expect.stringContaining('expected the image to be called NAME:VERSION, got no name') })
    expect(await importImages(store, back, { as: { name, version: 'mine' } })).toMatchObject([{ isNew: true, image: { name, version: 'mine', digest: image.digest } }])
  })

  test('inspects an archive without anything else in it by its file alone', async () => {
    const path = join(await makeFolder(), 'image.tar')
    const { store, image } = await publishShape(shape)
    await writeImageFile(await openImageFile(store, image, 'tar'), store.registry.blobs(name), path)
    expect(digestOf(Buffer.from(await run('skopeo', ['inspect', '--raw', `oci-archive:${path}`])))).toBe(image.digest)
  })
})

describe('F2, F3 nothing is visible of an archive that', () => {
  /** The members of an archive as files, to be changed and packed again with GNU tar, whose names begin with `./`. */
  const unpacked = async () => {
    const folder = await makeFolder()
    const path = join(folder, 'image.tar')
    const { image } = await makeArchive(path)
    const files = join(folder, 'files')
    await mkdir(files)
    await run('tar', ['--extract', '--file', path, '--directory', files])
    const pack = async (...options: string[]) => {
      await run('tar', ['--create', '--file', path, '--directory', files, ...options, '.'])
      return path
    }
    return { image, files, path, pack, blob: (digest: string) => join(files, 'blobs/sha256', digest.slice(7)) }
  }
  const refused = async (path: string, expected: object) => {
    const store = await emptyStore()
    await expect(importImages(store, path)).rejects.toMatchObject(expected)
    expect([await store.list(), await store.registry.names()]).toEqual([[], []])
  }

  test('was only packed otherwise: that one is taken in', async () => {
    const { image, pack } = await unpacked()
    for (const format of ['gnu', 'pax', 'ustar']) {
      expect(await importImages(await emptyStore(), await pack('--format', format))).toMatchObject([{ image: { digest: image.digest }, attachments: 3 }])
    }
  })

  test('has a flipped bit in a chunk: the chunk is named', async () => {
    const { image, blob, pack } = await unpacked()
    const { digest, size } = image.manifest.layers[1]!
    const file = await open(blob(digest), 'r+')
    await file.write(randomBytes(8), 0, 8, size - 100)
    await file.close()
    await refused(await pack(), { code: 'image-invalid', message: expect.stringContaining(`the chunk at byte ${2 * mib} of the disk is damaged: blob: expected the digest ${digest}`) })
  })

  test('lacks a chunk, or has more of one than it should', async () => {
    const { image, blob, pack, files } = await unpacked()
    const { digest } = image.manifest.layers[2]!
    const bytes = await readFile(blob(digest))
    await writeFile(blob(digest), Buffer.concat([bytes, Buffer.alloc(10)]))
    await refused(await pack(), { code: 'image-invalid', message: expect.stringContaining(`the chunk at byte ${6 * mib} of the disk is damaged`) })
    await refused(await pack('--exclude', `./blobs/sha256/${digest.slice(7)}`), { code: 'image-invalid', message: expect.stringContaining(`blobs/sha256/${digest.slice(7)}, got none`) })
    expect((await readdir(files)).sort()).toEqual(['blobs', 'index.json', 'oci-layout'])
  })

  test('has another manifest than its index says', async () => {
    const { image, blob, pack } = await unpacked()
    await writeFile(blob(image.digest), (await readFile(blob(image.digest), 'utf8')).replace('"2097152"', '"1048576"'))
    await refused(await pack(), { code: 'image-invalid', message: expect.stringContaining(`manifest: expected the digest ${image.digest}`) })
  })

  test('is cut, or is no archive at all', async () => {
    const { path, files } = await unpacked()
    await truncate(path, 600_000)
    await refused(path, { code: 'image-invalid', message: expect.stringContaining('expected a tar archive: Unexpected end of data') })
    await writeFile(path, randomBytes(5000))
    await refused(path, { code: 'image-invalid', message: expect.stringContaining('expected a tar archive') })
    await refused(files, { code: 'argument-invalid', message: expect.stringContaining('expected a file') })
    await refused(join(files, 'nowhere'), { code: 'argument-invalid', message: expect.stringContaining('cannot be read') })
  })

  test('calls the image something that is a path', async () => {
    const { pack, files } = await unpacked()
    const index = await readFile(join(files, 'index.json'), 'utf8')
    for (const bad of ['../x:job-1', 'debian-12:../../etc', 'debian-12', '/etc/passwd:1']) {
      await writeFile(join(files, 'index.json'), index.replace('"debian-12:job-1"', JSON.stringify(bad)))
      await refused(await pack(), { code: 'argument-invalid', message: expect.stringContaining(`got "${bad}"; name it with --as NAME:VERSION`) })
    }
  })

  test('has another image under a version that is taken', async () => {
    const path = join(await makeFolder(), 'image.tar')
    await makeArchive(path)
    const { store, image } = await publishShape(shape)
    await expect(importImages(store, path)).rejects.toMatchObject({ code: 'image-exists' })
    expect(await store.list()).toMatchObject([{ digest: image.digest }])
  })
})
