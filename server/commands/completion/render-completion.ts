export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** What may follow one command, for example after `ingot job`: further commands, options, and the choices of its first argument. */
export interface CommandWords {
  path: readonly string[]
  commands: readonly { word: string; about: string }[]
  options: readonly { word: string; about: string; choices: readonly string[]; takesValue: boolean }[]
  choices: readonly string[]
}

/** A script that completes `ingot` in a shell. Where a value is expected that has no choices, the shell completes names of files. */
export const renderCompletion = (shell: Shell, commands: readonly CommandWords[]): string => ({ bash: renderBash, zsh: renderZsh, fish: renderFish })[shell](commands)

const key = ({ path }: CommandWords): string => path.join(' ')
const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Of which command the words typed so far are, in bash and zsh: as long as the words are commands. */
const findCommand = (commands: readonly CommandWords[], words: string): string[] => [
  '  local at= word i',
  `  for ((i = ${words}; i < current; i++)); do`,
  '    word=${words[i]}',
  '    case "$at $word" in',
  `      ${commands.filter(({ path }) => path.length > 0).map((each) => quote(` ${key(each)}`)).join('|')}) at="$at $word" ;;`,
  '    esac',
  '  done',
]

const withChoices = (commands: readonly CommandWords[]) => commands.flatMap((each) => each.options.filter(({ choices }) => choices.length > 0).map((option) => ({ path: key(each), option })))

function renderBash(commands: readonly CommandWords[]): string {
  const words = commands.map((each) => `    ${quote(each.path.map((word) => ` ${word}`).join(''))}) found=${quote([...each.commands.map(({ word }) => word), ...each.choices, ...each.options.map(({ word }) => word)].join(' '))} ;;`)
  const values = withChoices(commands).map(({ path, option }) => `    ${quote(` ${path} ${option.word}`)}) COMPREPLY=($(compgen -W ${quote(option.choices.join(' '))} -- "$typed")); return ;;`)
  const files = [...new Set(commands.flatMap(({ options }) => options.filter(({ takesValue, choices }) => takesValue && choices.length === 0).map(({ word }) => word)))]
  return `# bash completion of ingot
_ingot() {
  local typed=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} current=$COMP_CWORD found= words=("\${COMP_WORDS[@]}")
${findCommand(commands, '1').join('\n')}
  case "$at $before" in
${values.join('\n')}
  esac
  case "$before" in
    ${files.join('|')}) COMPREPLY=($(compgen -f -- "$typed")); return ;;
  esac
  case "$at" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$found" -- "$typed"))
}
complete -o default -F _ingot ingot
`
}

function renderZsh(commands: readonly CommandWords[]): string {
  // A colon parts a word from what is said of it.
  const described = ({ word, about }: { word: string; about: string }) => quote(`${word.replaceAll(':', '\\:')}:${about}`)
  const words = commands.map((each) => `    ${quote(each.path.map((word) => ` ${word}`).join(''))}) found=(${[...each.commands, ...each.choices.map((word) => ({ word, about: '' })), ...each.options].map(described).join(' ')}) ;;`)
  const values = withChoices(commands).map(({ path, option }) => `    ${quote(` ${path} ${option.word}`)}) compadd -- ${option.choices.map(quote).join(' ')}; return ;;`)
  const files = [...new Set(commands.flatMap(({ options }) => options.filter(({ takesValue, choices }) => takesValue && choices.length === 0).map(({ word }) => word)))]
  return `#compdef ingot
_ingot() {
  local current=$CURRENT before=\${words[CURRENT-1]}
  local -a found
${findCommand(commands, '2').join('\n')}
  case "$at $before" in
${values.join('\n')}
  esac
  case "$before" in
    ${files.join('|')}) _files; return ;;
  esac
  case "$at" in
${words.join('\n')}
  esac
  _describe ingot found || _files
}
if [ "$funcstack[1]" = _ingot ]; then _ingot "$@"; else compdef _ingot ingot; fi
`
}

function renderFish(commands: readonly CommandWords[]): string {
  // Where one is: all commands of the path were typed, and none that goes on from it.
  const where = ({ path, commands: further }: CommandWords) =>
    [...path.map((word) => `__fish_seen_subcommand_from ${word}`), ...(further.length === 0 ? [] : [`not __fish_seen_subcommand_from ${further.map(({ word }) => word).join(' ')}`])].join('; and ')
  const lines = commands.flatMap((each) => {
    const condition = where(each) === '' ? '' : ` -n ${quote(where(each))}`
    return [
      ...each.commands.map(({ word, about }) => `complete -c ingot -f${condition} -a ${quote(word)} -d ${quote(about)}`),
      ...(each.choices.length === 0 ? [] : [`complete -c ingot -f${condition} -a ${quote(each.choices.join(' '))}`]),
      ...each.options.map(({ word, about, choices, takesValue }) => `complete -c ingot${condition} -l ${word.slice(2)}${takesValue ? ' -r' : ''}${choices.length > 0 ? ` -f -a ${quote(choices.join(' '))}` : ''} -d ${quote(about)}`),
    ]
  })
  return `# fish completion of ingot\n${lines.join('\n')}\n`
}
