import prettyBytes from 'pretty-bytes'
import type { Hop } from '../api/event.ts'
import type { DemoEvent } from './event.ts'
import { renderSeconds } from '../timeline/render-time.ts'
import type { Journey, Timeline } from './timeline.ts'

/** The hops that the summary tells: what the machine was at then, for the first time. */
const milestones: Partial<Record<Hop, string>> = {
  'dhcp-ack': 'has an address',
  tftp: 'has its boot program',
  'boot-script': 'asks for its boot script',
  kernel: 'has the kernel',
  initramfs: 'has the initramfs',
  stage2: 'has stage 2',
  worker: 'worker reports',
  claim: 'holds a job',
  image: 'image received',
  performed: 'job performed',
}

/** What the whole run came to: the times of each hop and step, the bytes moved, the images and how they proved themselves. */
export function renderSummary(timeline: Timeline, finished: Extract<DemoEvent, { kind: 'finished' }>): string[] {
  const journeys = [...timeline.journeys].filter(([, journey]) => journey.image !== undefined)
  return [
    ...journeys.flatMap(([, journey]) => ['', ...renderJourney(journey)]),
    '',
    ...timeline.proofs.map(({ name, image, loginMs, checkedMs }) =>
      field(`proof on ${name}`, `${image}: login prompt ${renderSeconds(loginMs)} after power-on, all checks passed at ${renderSeconds(checkedMs)}`),
    ),
    field('images', finished.imagesDirectory),
    field('consoles and logs', finished.consolesDirectory),
    field('proof consoles', finished.proofsDirectory),
  ]
}

function renderJourney(journey: Journey): string[] {
  const reached = journey.hops.flatMap(({ hop, atMs }) => {
    const label = milestones[hop]
    return label === undefined ? [] : [`${label.padEnd(26)}${renderSeconds(atMs).padStart(12)}`]
  })
  const steps = journey.steps.map(({ step, ms }) => `${step.padEnd(26)}${renderSeconds(ms).padStart(12)}`)
  const { image } = journey
  return [
    `${journey.name}: time since power-on`,
    ...reached.map((line) => `  ${line}`),
    `${journey.name}: time of each step`,
    ...steps.map((line) => `  ${line}`),
    ...(image === undefined
      ? []
      : [
          field('bytes moved', bytesMoved(journey, image.blobBytes)),
          field('image', `${image.image}:${image.version}, a disk of ${prettyBytes(image.diskBytes, { binary: true })} in ${prettyBytes(image.blobBytes)}`),
          field('digest', image.digest),
        ]),
  ]
}

const bytesMoved = ({ bootBytes, componentBytes }: Journey, imageBytes: number): string =>
  [
    `${prettyBytes(bootBytes)} to boot`,
    ...(componentBytes > 0 ? [`${prettyBytes(componentBytes)} of components`] : []),
    `${prettyBytes(imageBytes)} of image`,
  ].join(', ')

const field = (name: string, value: string): string => `${name.padEnd(20)}${value}`
