import { computed, useSignalEffect } from '@preact/signals'
import { ImagesView } from './images/images-view.tsx'
import { JobsView } from './jobs/jobs-view.tsx'
import { NoticeList } from './parts/notice-list.tsx'
import { TopBar } from './parts/top-bar.tsx'
import { RackView } from './rack/rack-view.tsx'
import { SignInPage } from './sign-in/sign-in-page.tsx'
import { startFeed } from './state/feed.ts'
import { isLoaded } from './state/overview-store.ts'
import { view } from './state/route.ts'
import { session } from './state/session.ts'

const titles = { rack: 'Rack', jobs: 'Jobs', images: 'Images' } as const

/** Also while it is not known yet whether anybody is signed in: asking both at once shows the first machine sooner. */
const mayFollow = computed(() => session.value !== null)

/** The console: signed in, one of its views below the bar. */
export function App() {
  useSignalEffect(() => {
    document.title = session.value ? `${titles[view.value]} · Ingot` : 'Ingot'
  })
  useSignalEffect(() => (mayFollow.value ? startFeed() : undefined))
  if (session.value === undefined) return null
  if (session.value === null) return <SignInPage />
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to {titles[view.value].toLowerCase()}
      </a>
      <TopBar />
      <main id="main" tabIndex={-1} aria-busy={!isLoaded.value}>
        <Shown />
      </main>
      <NoticeList />
    </>
  )
}

/** The fragment of an address is the view. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}

function Shown() {
  switch (view.value) {
    case 'rack':
      return <RackView />
    case 'jobs':
      return <JobsView />
    case 'images':
      return <ImagesView />
  }
}
