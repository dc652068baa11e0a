import { useState } from 'preact/hooks'
import type { Disk } from '../../api/machine.ts'
import type { MachineCard } from '../../api/overview.ts'
import { Facts } from '../parts/facts.tsx'
import { LogView } from '../parts/log-view.tsx'
import { Panel } from '../parts/panel.tsx'
import { Progress } from '../parts/progress.tsx'
import { StateMark } from '../parts/state-mark.tsx'
import { Since } from '../parts/times.tsx'
import { machines } from '../state/overview-store.ts'
import { hrefOf } from '../state/route.ts'
import { binaryBytes, dateTime } from '../text.ts'
import { AdmissionView } from './admission-view.tsx'
import { ConsoleView } from './console-view.tsx'
import { DiskList } from './disk-list.tsx'
import { FailureView } from './failure-view.tsx'
import { MarkScratchDialog } from './mark-scratch-dialog.tsx'
import { WayStrip } from './way-strip.tsx'

/** All that is known of a machine. */
export function MachinePanel({ id, onClose }: { id: string; onClose: () => void }) {
  const card = machines.of(id).value
  const [marking, setMarking] = useState<Disk | undefined>(undefined)
  return (
    <Panel subject={id} kicker="Machine" title={<span class="mono">{id}</span>} onClose={onClose}>
      {card === undefined ? (
        <p class="muted">Nothing was heard of a machine of this name.</p>
      ) : (
        <>
          <AdmissionView card={card} />
          <Position card={card} />
          <section>
            <h3>Disks</h3>
            <DiskList card={card} onMark={setMarking} />
          </section>
          <Hardware card={card} />
          {card.job === undefined ? null : (
            <section>
              <h3>
                Log of <a href={hrefOf('jobs', card.job)}>{card.job}</a>
              </h3>
              <LogView job={card.job} live={card.state === 'working'} />
            </section>
          )}
          <section>
            <h3>Console</h3>
            <ConsoleView machine={id} />
          </section>
          {marking === undefined ? null : <MarkScratchDialog card={card} disk={marking} onClose={() => setMarking(undefined)} />}
        </>
      )}
    </Panel>
  )
}

function Position({ card }: { card: MachineCard }) {
  const { state, since, bootedAt, what, stopped, progress, address, job, system } = card
  return (
    <section class="position">
      <p class="where">
        <StateMark state={state} />
        <span>
          {stopped === undefined ? what : null}
          {since === undefined ? null : (
            <>
              {stopped === undefined ? ', ' : ''}
              <Since time={since} />
            </>
          )}
        </span>
      </p>
      <WayStrip of={card} named />
      {stopped === undefined ? null : <FailureView why={what ?? 'it stopped'} failure={stopped.failure} cause={stopped.cause} />}
      {state === 'working' && progress !== undefined ? <Progress of={progress} bytesPerSecond={card.bytesPerSecond} /> : null}
      <Facts
        of={[
          ['Job', job === undefined ? undefined : <a href={hrefOf('jobs', job)}>{job}</a>],
          ['Address', address],
          ['Booted', bootedAt === undefined ? undefined : dateTime(bootedAt)],
          ['System', system === undefined ? undefined : <a href={hrefOf('images', system.image, system.version)}>{`${system.image}:${system.version}`}</a>],
          ['Labels', Object.entries(card.labels).map((each) => each.join('=')).join(', ')],
        ]}
      />
    </section>
  )
}

function Hardware({ card: { hardware } }: { card: MachineCard }) {
  if (hardware === undefined) return null
  const { manufacturer, model, serial, cpu, memoryBytes, firmware, secureBoot, nics, workerVersion } = hardware
  return (
    <section>
      <h3>Hardware</h3>
      <Facts
        of={[
          ['Model', [manufacturer, model].filter(Boolean).join(' ')],
          ['Serial', serial],
          ['Processor', `${cpu.model}, ${cpu.cores === 1 ? '1 core' : `${cpu.cores} cores`}`],
          ['Memory', binaryBytes(memoryBytes)],
          ['Firmware', `${firmware === 'uefi' ? 'UEFI' : 'BIOS'}${secureBoot ? ', Secure Boot on' : ''}`],
          ['Network', nics.map(({ name, mac, driver, speedMbps }) => [name, mac, driver, speedMbps > 0 ? `${speedMbps} Mbit/s` : ''].filter(Boolean).join(' ')).join('; ')],
          ['Worker', workerVersion],
        ]}
      />
    </section>
  )
}
