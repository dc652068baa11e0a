import { hexOf } from '../image-store/digest.ts'
import type { Image } from '../image-store/open-image-store.ts'
import { imageUrl, packageUrl } from './package-url.ts'

/** Which program made a document. */
export interface Tool {
  name: string
  version: string
}

const imageId = 'SPDXRef-Image'

/**
 * The bill of materials of an image: SPDX 2.3 (spdx.github.io/spdx-spec/v2.3) with each installed package and its purl. The same image gives the
 * same document, byte for byte.
 */
export function renderSbom({ name, version, digest, config }: Image, tool: Tool) {
  const installed = config.packages.map((each, index) => renderPackage({ id: `SPDXRef-Package-${index + 1}`, ...each, purl: packageUrl(each) }))
  const purl = imageUrl({ name, version, digest })
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `${name}:${version}`,
    documentNamespace: `https://ingot.dev/spdx/${name}/${hexOf(digest)}`,
    // UTC, in seconds: SPDX 2.3, 6.9.
    creationInfo: { created: new Date(config.builtAt).toISOString().replace(/\.\d+/, ''), creators: [`Tool: ${tool.name}-${tool.version}`] },
    // Spelt as the JSON schema of SPDX 2.3 has it, not as its text.
    packages: [{ ...renderPackage({ id: imageId, name, version, purl }), primaryPackagePurpose: 'OPERATING_SYSTEM' }, ...installed],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: imageId },
      ...installed.map(({ SPDXID }) => ({ spdxElementId: imageId, relationshipType: 'CONTAINS', relatedSpdxElement: SPDXID })),
    ],
  }
}

/** A package of which nobody looked at the files, nor where it came from. */
const renderPackage = ({ id, name, version, purl }: { id: string; name: string; version: string; purl: string }) => ({
  SPDXID: id,
  name,
  versionInfo: version,
  downloadLocation: 'NOASSERTION',
  filesAnalyzed: false,
  externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }],
})
