import { renderFault } from '../../../images/fault.ts'
import { findFaults } from '../../../images/parse-document.ts'
import { requirementsSchema, type Requirements } from '../../api/job.ts'
import { IngotError } from '../../errors.ts'
import { parseKeyValues } from '../key-values.ts'
import { machineId } from '../machine-id.ts'

/**
 * Reads `['firmware=uefi', 'memoryMiB=4096', 'labels.rack=b2', 'machines=52-54-00-12-34-56,m2']` as requirements. Throws `IngotError`
 * 'argument-invalid' with everything that is wrong.
 */
export function parseRequirements(texts: readonly string[]): Requirements {
  const given: Record<string, unknown> = {}
  const labels: Record<string, string> = {}
  for (const [key, value] of parseKeyValues(texts)) {
    if (key.startsWith('labels.')) labels[key.slice('labels.'.length)] = value
    else if (key === 'machines') given[key] = value.split(',').map(machineId)
    else given[key] = /^\d+$/.test(value) ? Number(value) : value
  }
  const requirements = Object.keys(labels).length === 0 ? given : { ...given, labels }
  const faults = findFaults(requirementsSchema, requirements)
  if (faults.length > 0) throw new IngotError('argument-invalid', '--requires is not as expected', { problems: faults.map(renderFault) })
  return requirements
}

/** The other way round, for people: `firmware=uefi memoryMiB=4096 labels.rack=b2`. */
export const renderRequirements = ({ labels = {}, machines, ...rest }: Requirements): string =>
  [
    ...Object.entries(rest).map(([key, value]) => `${key}=${value}`),
    ...Object.entries(labels).map(([key, value]) => `labels.${key}=${value}`),
    ...(machines === undefined ? [] : [`machines=${machines.join(',')}`]),
  ].join(' ')
