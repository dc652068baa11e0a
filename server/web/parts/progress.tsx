import type { Progress as ProgressOf } from '../../api/status.ts'
import { bytes, duration, rate } from '../text.ts'

/** How much of all is done, 0 to 1: the steps before, and of the present one as much as its bytes tell. */
export function doneShare({ stepIndex, stepCount, doneBytes, totalBytes }: ProgressOf): number {
  const ofStep = totalBytes === undefined || totalBytes === 0 ? 0 : Math.min(1, (doneBytes ?? 0) / totalBytes)
  return (stepIndex + ofStep) / stepCount
}

/** Where a job is in its steps, with the bytes of the present step, their rate, and how long the rest of it takes at that rate. */
export function Progress({ of: progress, bytesPerSecond }: { of: ProgressOf; bytesPerSecond?: number | undefined }) {
  const { stepIndex, stepCount, step, doneBytes, totalBytes, detail } = progress
  const rest = totalBytes !== undefined && bytesPerSecond ? ((totalBytes - (doneBytes ?? 0)) / bytesPerSecond) * 1000 : undefined
  return (
    <div class="progress">
      <p class="step">
        <b>
          {stepIndex + 1}/{stepCount}
        </b>{' '}
        {step} {detail === undefined ? null : <span class="detail">{detail}</span>}
      </p>
      <Steps of={progress} />
      <p class="rate">
        {doneBytes === undefined || doneBytes === 0 ? null : <span>{totalBytes === undefined ? bytes(doneBytes) : `${bytes(doneBytes)} of ${bytes(totalBytes)}`}</span>}
        {bytesPerSecond ? <span>{rate(bytesPerSecond)}</span> : null}
        {rest === undefined || rest < 1000 ? null : <span>{duration(rest)} left</span>}
      </p>
    </div>
  )
}

/** One field for each step, the present one as full as its bytes tell. */
export function Steps({ of: progress }: { of: ProgressOf }) {
  const { stepIndex, stepCount, step, doneBytes, totalBytes } = progress
  const ofStep = totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, (doneBytes ?? 0) / totalBytes)
  return (
    <div class="steps" role="progressbar" aria-label={step} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(doneShare(progress) * 100)}>
      {Array.from({ length: stepCount }, (_, index) => (
        <i key={index} class={index < stepIndex ? 'done' : index === stepIndex ? (ofStep === undefined ? 'runs unmeasured' : 'runs') : ''}>
          {index === stepIndex ? <b style={{ width: `${(ofStep ?? 1) * 100}%` }} /> : null}
        </i>
      ))}
    </div>
  )
}
