import { connection } from '../state/feed.ts'
import { jobOrder, machines } from '../state/overview-store.ts'
import { hrefOf, view, type View } from '../state/route.ts'
import { session, signOut } from '../state/session.ts'
import { nextTheme, theme } from '../state/theme.ts'
import { count } from '../text.ts'
import { Mark } from './mark.tsx'

export function TopBar() {
  return (
    <header class="bar">
      <a class="mark" href={hrefOf('rack')}>
        <Mark /> Ingot
      </a>
      <nav aria-label="Views">
        <Tab to="rack" title="Rack" size={machines.all().length} />
        <Tab to="jobs" title="Jobs" size={jobOrder.value.length} />
        <Tab to="images" title="Images" />
      </nav>
      <ConnectionState />
      <div class="account">
        <button type="button" class="quiet" onClick={nextTheme} title="Light, dark, or as the system has it">
          Theme: {theme.value === 'system' ? 'auto' : theme.value}
        </button>
        <span class="who" title={`Signed in with the token "${session.value?.name}"`}>
          {session.value?.name} <small>{session.value?.role}</small>
        </span>
        <button type="button" class="quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
    </header>
  )
}

function Tab({ to, title, size }: { to: View; title: string; size?: number }) {
  return (
    <a href={hrefOf(to)} {...(view.value === to ? { 'aria-current': 'page' as const } : {})}>
      {title}
      {size === undefined ? null : <small>{count(size)}</small>}
    </a>
  )
}

const connections = { connecting: 'Connecting', live: 'Live', lost: 'Connection lost, trying again' } as const

function ConnectionState() {
  return (
    <p class={`connection ${connection.value}`} role="status">
      <span class="dot" aria-hidden="true" />
      {connections[connection.value]}
    </p>
  )
}
