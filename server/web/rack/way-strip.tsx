import type { MachineCard } from '../../api/overview.ts'
import { stationOf, stations } from './way.ts'

/** The way from DHCP to image, with the station that the machine is at. */
export function WayStrip({ of: card, named = false }: { of: Pick<MachineCard, 'hop' | 'state'>; named?: boolean }) {
  const at = stationOf(card)
  if (at === undefined) return null
  const isDone = card.hop === 'performed'
  const label = isDone ? 'on its way: all stations passed' : `on its way: ${stations[at]}, station ${at + 1} of ${stations.length}`
  return (
    <div class={`way ${card.state} ${named ? 'named' : ''}`} role="img" aria-label={label}>
      {stations.map((station, index) => (
        <i key={station} class={index < at || isDone ? 'done' : index === at ? 'here' : ''}>
          {named ? <span>{station}</span> : null}
        </i>
      ))}
    </div>
  )
}
