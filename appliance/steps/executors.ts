import type { Step, StepKind } from '../../images/plan.ts'
import { configureFile } from './configure-file.ts'
import { configureScript } from './configure-script.ts'
import type { StepContext, StepExecutor } from './context.ts'
import { generalise } from './generalise.ts'
import { image } from './image.ts'
import { installBootloader } from './install-bootloader.ts'
import { installDebootstrap } from './install-debootstrap.ts'
import { installPackages } from './install-packages.ts'
import { installRootfs } from './install-rootfs.ts'
import { partition } from './partition.ts'

/** What performs each kind of step; a kind without one does not compile. */
export const executors = {
  partition,
  'install-rootfs': installRootfs,
  'install-debootstrap': installDebootstrap,
  'install-packages': installPackages,
  'install-bootloader': installBootloader,
  'configure-file': configureFile,
  'configure-script': configureScript,
  generalise,
  image,
} satisfies { [Kind in StepKind]: StepExecutor<Kind> }

/** Performs one step of a plan. */
export function performStep<Kind extends StepKind>(step: Step & { kind: Kind }, context: StepContext): Promise<void> {
  const execute = executors[step.kind] as unknown as StepExecutor<Kind>
  return execute(step as Parameters<typeof execute>[0], context)
}
