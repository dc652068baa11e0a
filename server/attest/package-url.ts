import { PackageURL } from 'packageurl-js'

/** The purl of a Debian package, for example `pkg:deb/debian/libstdc%2B%2B6@12.2.0-14` (purl-spec, deb). */
export const packageUrl = ({ name, version }: { name: string; version: string }): string =>
  new PackageURL('deb', 'debian', name, version, undefined, undefined).toString()

/** The purl of an image, for example `pkg:oci/debian-12@sha256:9f86d0…?tag=debian-12-20261123-1` (purl-spec, oci: the digest is the version). */
export const imageUrl = ({ name, version, digest }: { name: string; version: string; digest: string }): string =>
  new PackageURL('oci', undefined, name, digest, { tag: version }, undefined).toString()
