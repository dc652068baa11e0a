import type { ComponentRef } from './component.ts'
import type { Plan } from './plan.ts'

/** Every component that a plan names, the tools first. */
export const componentsOf = (plan: Plan): ComponentRef[] => [
  plan.tools,
  ...plan.steps.flatMap((step) => ('component' in step ? [step.component] : 'tools' in step ? [step.tools] : [])),
]
