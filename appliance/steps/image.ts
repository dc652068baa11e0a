import { mediaTypes } from '../../server/api/media-types.ts'
import { captureTarget } from './capture-target.ts'
import type { StepExecutor } from './context.ts'

/**
 * Streams the target disk to the first computer as an image under the version of the claim (B23). The image becomes visible only with its manifest, which
 * is sent last. Leaves `/target` unmounted.
 */
export const image: StepExecutor<'image'> = async (step, context) => {
  const { server, log, plan } = context
  const base = plan.steps.find((each) => each.kind === 'start-from')
  const { digest, figures } = await captureTarget(
    {
      stepIndex: plan.steps.indexOf(step),
      image: step.image,
      artifactType: mediaTypes.artifact,
      // Source: OCI image-spec 1.1, annotations.md.
      ...(base === undefined ? {} : { annotations: { 'org.opencontainers.image.base.name': `${base.image}:${base.version}`, 'org.opencontainers.image.base.digest': base.digest } }),
      publish: (manifest, signal) => server.pushManifest(step.image, manifest, signal),
    },
    context,
  )
  log.info({ image: step.image, version: server.imageVersion, digest, ...figures }, 'image is published')
}
