import type { Stage, Stages } from './stage.ts'

type WorkHop = 'worker' | 'claim' | 'plan' | 'component' | 'step' | 'image' | 'proof' | 'performed' | 'failed' | 'lost'

const working = (doing: string, job: string, silentSeconds: number): Stage => ({
  state: 'working',
  doing,
  stops: {
    afterSeconds: silentSeconds,
    happened: `said nothing for ${Math.floor(silentSeconds / 60)} minutes while it ${doing}`,
    cause: `the machine or its network is down: see its console and \`ingot job log ${job}\`; others may take the job when its silence limit has passed`,
  },
})

/** A worker tells of itself every 10 s while steps run; before the first it may be fetching a root filesystem over a slow network. */
const stepSilenceSeconds = 120
const fetchSilenceSeconds = 900

/** From a worker that waits for a job to what became of that. */
export const workStages: Stages<WorkHop> = {
  worker: () => ({ state: 'idle', doing: 'waits for a job' }),
  claim: ({ event: { job } }) => working(`prepares job ${job}`, job, fetchSilenceSeconds),
  plan: ({ event: { job } }) => working(`prepares job ${job}`, job, fetchSilenceSeconds),
  component: ({ event: { job } }) => working(`prepares job ${job}`, job, fetchSilenceSeconds),
  step: ({ event: { job, progress } }) => working(`performs job ${job}, step ${progress.stepIndex + 1} of ${progress.stepCount}, ${progress.step}`, job, stepSilenceSeconds),
  image: ({ event: { image, version } }) => ({ state: 'idle', doing: `has made ${image}:${version}, waits for a job` }),
  proof: () => ({ state: 'idle', doing: 'waits for a job' }),
  // An image was deployed to it; one that made an image is free before that is proven.
  performed: ({ event: { job } }) => ({ state: 'own-disk', doing: `starts what job ${job} put on its disk` }),
  failed: ({ event: { job, failure } }) => ended(`failed job ${job} in ${failure.step}: ${failure.message}`, `\`ingot job show ${job}\` tells the command and its last lines`),
  lost: ({ event: { job, loss, failure } }) => {
    switch (loss) {
      case 'cancelled':
        return { state: 'idle', doing: `waits for a job; ${job} was cancelled` }
      case 'given-back':
        return { state: 'idle', doing: `waits for a job; it gave ${job} back when its worker was started anew` }
      case 'silent':
        return ended(`fell silent in the midst of job ${job}`, 'the machine or its network is down: see its console')
      case 'time-limit':
        return ended(`did not end job ${job} in time`, `\`ingot job show ${job}\` tells how far it was; a longer time: \`ingot job edit ${job} --time-limit\``)
      case 'unproven':
        return ended(`made an image that did not prove itself in job ${job}${failure === undefined ? '' : `: ${failure.message}`}`, `\`ingot job show ${job}\` tells what the copy said`)
      case 'failed':
        return ended(`failed job ${job}${failure === undefined ? '' : ` in ${failure.step}: ${failure.message}`}`, `\`ingot job show ${job}\` tells the command and its last lines`)
    }
  },
}

const ended = (happened: string, cause: string): Stage => ({ state: 'idle', doing: 'waits for a job', stops: { afterSeconds: 0, happened, cause } })
