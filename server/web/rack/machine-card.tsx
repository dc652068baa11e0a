import type { MachineCard as Card } from '../../api/overview.ts'
import { Progress } from '../parts/progress.tsx'
import { StateMark } from '../parts/state-mark.tsx'
import { Since } from '../parts/times.tsx'
import { machines } from '../state/overview-store.ts'
import { hrefOf, subject } from '../state/route.ts'
import { binaryBytes } from '../text.ts'
import { diskName, hardwareLine, standingOf } from './hardware.ts'
import { WayStrip } from './way-strip.tsx'

/** A machine on the rack. Those on which nothing moves take a line or two. */
export function MachineCard({ id }: { id: string }) {
  const card = machines.of(id).value
  if (card === undefined) return null
  const isMoving = card.state === 'asking' || card.state === 'booting' || card.state === 'working' || card.state === 'stopped'
  return (
    <li class={`card ${card.state} ${isMoving ? '' : 'still'}`}>
      <a href={hrefOf('rack', id)} {...(subject.value === id ? { 'aria-current': 'true' as const } : {})}>
        <header>
          <b class="id">{id}</b>
          <Labels of={card} />
        </header>
        {isMoving ? <Moving card={card} /> : <Still card={card} />}
      </a>
    </li>
  )
}

const Labels = ({ of: { labels } }: { of: Card }) => (
  <span class="labels">
    {Object.entries(labels).map(([key, value]) => (
      <span key={key} title={`${key}=${value}`}>
        {value}
      </span>
    ))}
  </span>
)

function Moving({ card }: { card: Card }) {
  const { hop, since, what, stopped, progress, job, address } = card
  const isWorking = card.state === 'working' && progress !== undefined && hop === 'step'
  return (
    <>
      {isWorking ? null : <WayStrip of={card} />}
      {isWorking ? (
        <Progress of={progress} bytesPerSecond={card.bytesPerSecond} />
      ) : (
        <p class={stopped === undefined ? 'now' : 'why'} title={stopped?.cause}>
          {what}
          {since === undefined ? null : (
            <span class="since">
              {' '}
              <Since time={since} />
            </span>
          )}
        </p>
      )}
      <p class="foot">
        <span>{job ?? address ?? ''}</span>
        <span>{hardwareLine(card, true)}</span>
      </p>
    </>
  )
}

function Still({ card }: { card: Card }) {
  const { system, since } = card
  return (
    <p class="foot">
      <StateMark state={card.state} />
      <span>{system === undefined ? hardwareLine(card, true) : `${system.image}:${system.version}`}</span>
      <DiskDots of={card} />
      {since === undefined ? null : <Since time={since} />}
    </p>
  )
}

/** Its disks as signs; what they are is in the panel, and told to those who hear the page. */
const DiskDots = ({ of: card }: { of: Card }) => (
  <span class="disks" role="img" aria-label={card.disks.map((disk) => `disk ${diskName(disk)}, ${binaryBytes(disk.sizeBytes)}, ${standingOf(disk, card)}`).join('; ') || 'no disks'}>
    {card.disks.map((disk) => (
      <i key={disk.device} class={standingOf(disk, card).replace(' ', '-')} title={`${diskName(disk)} ${binaryBytes(disk.sizeBytes)}, ${standingOf(disk, card)}`} />
    ))}
  </span>
)
