// speech-mcp completion SHELL: prints a script with which a shell completes commands, flags and their values.
import { SpeechError } from '../domain/errors.ts'
import type { Command } from './command.ts'

const shells = { bash, zsh, fish }

interface CompletedCommand {
  name: string
  help: string
  /** Words that may stand after the command; undefined: files. */
  words: readonly string[] | undefined
  foldersOnly: boolean
  flags: { name: string; short?: string; help: string; takesValue: boolean; values?: readonly string[] }[]
}

export const completion: Command = {
  usage: 'speech-mcp completion SHELL',
  help: 'Print a script that completes commands, flags and values in bash, zsh or fish.',
  takesArguments: true,
  completes: Object.keys(shells),
  examples: [
    ['completion bash >> ~/.bash_completion', 'Completes in each new bash.'],
    ['completion zsh > ~/.zfunc/_speech-mcp', 'Completes in zsh, if ~/.zfunc is in its fpath.'],
    ['completion fish > ~/.config/fish/completions/speech-mcp.fish', 'Completes in fish.'],
  ],
  async run({ words, allCommands }) {
    const [shell = '', ...more] = words
    if (!Object.hasOwn(shells, shell) || more.length > 0)
      throw new SpeechError('BAD_INPUT', 'The shell is missing or not known.', {
        hint: `Use one of ${Object.keys(shells).join(', ')}.`,
      })
    const commands = Object.entries(await allCommands()).filter(([name]) => name !== 'serve')
    process.stdout.write(shells[shell as keyof typeof shells](commands.map(completed)))
    return 0
  },
}

function completed([name, command]: [string, Command]): CompletedCommand {
  const { help, takesArguments, completes, flags = {}, switches = {} } = command
  const isList = Array.isArray(completes)
  return {
    name,
    help,
    words: isList
      ? (completes as readonly string[])
      : takesArguments && completes !== 'nothing'
        ? undefined
        : [],
    foldersOnly: completes === 'folders',
    flags: [
      ...Object.entries(flags).map(([name, flag]) => ({ name, takesValue: true, ...flag })),
      ...Object.entries(switches).map(([name, flag]) => ({ name, takesValue: false, ...flag })),
      { name: 'help', short: 'h', help: 'show the help of the command', takesValue: false },
    ],
  }
}

const namesOf = ({ name, short }: { name: string; short?: string }) => [
  ...(short ? [`-${short}`] : []),
  `--${name}`,
]

function bash(commands: CompletedCommand[]): string {
  const cases = commands.map(({ name, words, foldersOnly, flags }) => {
    const values = flags
      .filter(flag => flag.values)
      .map(
        flag =>
          `      ${namesOf(flag).join('|')}) COMPREPLY=($(compgen -W '${flag.values!.join(' ')}' -- "$word")); return ;;`,
      )
    const valued = flags.filter(flag => flag.takesValue && !flag.values).flatMap(namesOf)
    const others =
      valued.length > 0 ? [`      ${valued.join('|')}) COMPREPLY=($(compgen -f -- "$word")); return ;;`] : []
    const rest =
      words === undefined
        ? `compgen -${foldersOnly ? 'd' : 'f'} -- "$word"`
        : `compgen -W '${words.join(' ')}' -- "$word"`
    return [
      `    ${name})`,
      '      case $before in',
      ...values,
      ...others,
      '      esac',
      `      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W '${flags.flatMap(namesOf).join(' ')}' -- "$word"))`,
      `      else COMPREPLY=($(${rest})); fi ;;`,
    ].join('\n')
  })
  return `# Completion of speech-mcp for bash.
_speech_mcp() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  local IFS=$' \\t\\n'
  COMPREPLY=()
  if [[ $COMP_CWORD == 1 ]]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$word"))
    return
  fi
  local IFS=$'\\n'
  case \${COMP_WORDS[1]} in
${cases.map(text => text.replaceAll(/compgen -W '([^']*)'/g, (_, list: string) => `compgen -W $'${list.replaceAll(' ', '\\n')}'`)).join('\n')}
  esac
}
complete -o filenames -F _speech_mcp speech-mcp
`
}

function zsh(commands: CompletedCommand[]): string {
  const text = (words: string) => words.replace(/[[\]:'\\]/g, ' ')
  const listed = commands.map(({ name, help }) => `    '${name}:${text(help)}'`)
  const cases = commands.map(({ name, words, foldersOnly, flags }) => {
    const own = flags.flatMap(flag => {
      const action = flag.values
        ? `:value:(${flag.values.join(' ')})`
        : flag.takesValue
          ? ':value:_files'
          : ''
      return namesOf(flag).map(one => `'*${one}[${text(flag.help)}]${action}'`)
    })
    const rest =
      words === undefined ? `'*:file:_files${foldersOnly ? ' -/' : ''}'` : `'*:word:(${words.join(' ')})'`
    return `    ${name}) _arguments ${[...own, rest].join(' ')} ;;`
  })
  return `#compdef speech-mcp
# Completion of speech-mcp for zsh.
_speech_mcp() {
  local -a commands=(
${listed.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
if [[ $funcstack[1] == _speech-mcp ]]; then _speech_mcp "$@"; else compdef _speech_mcp speech-mcp; fi
`
}

function fish(commands: CompletedCommand[]): string {
  const quote = (words: string) => `'${words.replace(/[\\']/g, '\\$&')}'`
  const lines = ['# Completion of speech-mcp for fish.', 'complete -c speech-mcp -n __fish_use_subcommand -f']
  for (const { name, help, words, foldersOnly, flags } of commands) {
    lines.push(`complete -c speech-mcp -n __fish_use_subcommand -f -a ${name} -d ${quote(help)}`)
    const when = `complete -c speech-mcp -n '__fish_seen_subcommand_from ${name}'`
    if (words !== undefined)
      lines.push(`${when} -f${words.length > 0 ? ` -a ${quote(words.join(' '))}` : ''}`)
    else if (foldersOnly) lines.push(`${when} -f -a '(__fish_complete_directories)'`)
    for (const { name, short, help, takesValue, values } of flags) {
      const value = values ? ` -x -a ${quote(values.join(' '))}` : takesValue ? ' -r' : ''
      lines.push(`${when}${short ? ` -s ${short}` : ''} -l ${name}${value} -d ${quote(help)}`)
    }
  }
  return `${lines.join('\n')}\n`
}
