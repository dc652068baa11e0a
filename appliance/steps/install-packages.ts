import { aptInstall } from './apt-install.ts'
import type { StepExecutor } from './context.ts'

/** Installs application packages of Debian in the installed system. */
export const installPackages: StepExecutor<'install-packages'> = ({ packages }, context) => aptInstall(packages, context)
