import { render } from 'preact'
import { App } from './app.tsx'
import { startClock } from './state/clock.ts'
import { findSession } from './state/session.ts'
import { startTheme } from './state/theme.ts'

startTheme()
startClock()
void findSession()
render(<App />, document.getElementById('console')!)
