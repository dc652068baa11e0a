import type { Step, StepKind } from '../../images/plan.ts'
import { configureFile } from './configure-file.ts'
import { configureScript } from './configure-script.ts'
import type { StepContext, StepExecutor } from './context.ts'
import { generalise } from './generalise.ts'
import { growDiskStep } from './grow-disk.ts'
import { image } from './image.ts'
import { installBootloader } from './install-bootloader.ts'
import { installDebootstrap } from './install-debootstrap.ts'
import { installPackages } from './install-packages.ts'
import { installRootfs } from './install-rootfs.ts'
import { partition } from './partition.ts'
import { personalise } from './personalise.ts'
import { snapshot } from './snapshot.ts'
import { startFrom } from './start-from.ts'
import { writeImage } from './write-image.ts'

/** What performs each kind of step; a kind without one does not compile. */
export const executors = {
  partition,
  'start-from': startFrom,
  'install-rootfs': installRootfs,
  'install-debootstrap': installDebootstrap,
  'install-packages': installPackages,
  'install-bootloader': installBootloader,
  'configure-file': configureFile,
  'configure-script': configureScript,
  snapshot,
  generalise,
  image,
  'write-image': writeImage,
  'grow-disk': growDiskStep,
  personalise,
} satisfies { [Kind in StepKind]: StepExecutor<Kind> }

/** Performs one step of a plan. */
export function performStep<Kind extends StepKind>(step: Step & { kind: Kind }, context: StepContext): Promise<void> {
  const execute = executors[step.kind] as unknown as StepExecutor<Kind>
  return execute(step as Parameters<typeof execute>[0], context)
}
