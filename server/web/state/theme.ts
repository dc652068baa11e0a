import { effect, signal } from '@preact/signals'

/** As the system has it, or as was chosen here. */
export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'ingot-theme'
const stored = localStorage.getItem(key)
export const theme = signal<Theme>(themes.find((each) => each === stored) ?? 'system')

export const startTheme = (): void =>
  void effect(() => {
    localStorage.setItem(key, theme.value)
    document.documentElement.dataset.theme = theme.value
  })

export const nextTheme = (): void => void (theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length]!)
