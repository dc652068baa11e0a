import type { ComponentRef } from '../../images/component.ts'
import type { Deploy } from '../../images/deploy.ts'
import { planDeploy } from '../../images/plan-deploy.ts'
import type { Plan } from '../../images/plan.ts'
import { IngotError } from '../errors.ts'
import type { Image, ImageStore } from '../image-store/open-image-store.ts'

/**
 * The script of a job that deploys an image, which from then on means the version that is the newest now. Throws `IngotError` 'image-unknown' telling what
 * there is, and 'image-invalid' when the image has no system that could be given what the job wants.
 */
export async function planDeployJob(deploy: Deploy, images: Pick<ImageStore, 'resolve' | 'list'>, keepTools: () => Promise<ComponentRef>): Promise<Plan> {
  const image = await resolve(deploy, images)
  const hasRoot = image.config.partitions.some(({ mountPoint }) => mountPoint === '/')
  const wanted = (['hostname', 'users', 'sshKeys', 'network'] as const).find((field) => deploy[field] !== undefined)
  if (!hasRoot && wanted !== undefined) {
    throw new IngotError('image-invalid', `deploy.${wanted}: expected nothing for ${image.name}:${image.version}, of which it is not known where its root filesystem is`)
  }
  return planDeploy(deploy, image, await keepTools())
}

async function resolve({ image: name, version }: Deploy, images: Pick<ImageStore, 'resolve' | 'list'>): Promise<Image> {
  try {
    return await images.resolve(name, version)
  } catch (error) {
    if (!(error instanceof IngotError && error.code === 'image-unknown')) throw error
    const published = await images.list()
    const versions = published.filter((each) => each.name === name).map((each) => each.version)
    if (versions.length > 0) throw new IngotError('image-unknown', `deploy.version: expected a version of ${name} that is published (${versions.join(', ')}), got ${version}`)
    const names = [...new Set(published.map((each) => each.name))].sort()
    throw new IngotError('image-unknown', `deploy.image: expected an image that is published (${names.join(', ') || 'there are none'}), got ${name}`)
  }
}
