import type { StepExecutor } from './context.ts'
export const installDebootstrap: StepExecutor<'install-debootstrap'> = async () => { throw new Error('being written') }
