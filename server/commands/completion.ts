import { Argument, type Command } from 'commander'
import type { CommandContext } from './context.ts'
import { renderCompletion, shells, type CommandWords, type Shell } from './completion/render-completion.ts'

const help = `
To have it in every new shell:
  bash   ingot completion bash > /etc/bash_completion.d/ingot
  zsh    ingot completion zsh > /usr/local/share/zsh/site-functions/_ingot
  fish   ingot completion fish > ~/.config/fish/completions/ingot.fish

Example, for this shell alone:
  source <(ingot completion bash)`

/** `ingot completion bash|zsh|fish`: a script by which a shell completes commands, options and their choices. */
export const addCompletion = (program: Command, { print }: CommandContext): Command =>
  program
    .command('completion')
    .summary('a script by which a shell completes these commands')
    .description('Prints a script by which a shell completes commands, options and their choices. It is made of the commands themselves and needs no running server.')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText('after', help)
    .action((shell: Shell) => print(renderCompletion(shell, wordsOf(program)).trimEnd()))

/** All that may be written after `ingot`, from the commands as they are. */
export function wordsOf(command: Command, path: readonly string[] = []): CommandWords[] {
  const help = command.createHelp()
  const commands = help.visibleCommands(command).filter((each) => each.name() !== 'help')
  const own: CommandWords = {
    path,
    commands: commands.map((each) => ({ word: each.name(), about: firstSentence(each.summary() || each.description()) })),
    options: help.visibleOptions(command).flatMap((option) => (option.long == null ? [] : [{ word: option.long, about: firstSentence(option.description), choices: option.argChoices ?? [], takesValue: option.required || option.optional }])),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }
  return [own, ...commands.flatMap((each) => wordsOf(each, [...path, each.name()]))]
}

const firstSentence = (text: string): string => text.split(/[.:;(\n]/, 1)[0]!.trim()
