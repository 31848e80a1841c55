import type { SHELLS } from '../program.js'

/** A shell that can complete the command. */
export type Shell = (typeof SHELLS)[number]

/**
 * What a shell needs to complete the command. It calls `mapache complete -- WORDS`, which prints a suggestion a line, a tab
 * and what it means after it; the line `:files` asks for names of files.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  // bash 3.2, which macOS has, knows neither mapfile nor compopt.
  bash: `# Completes mapache in bash: eval "$(mapache completion bash)"
_mapache_complete() {
  local current="\${COMP_WORDS[COMP_CWORD]}" value rest
  COMPREPLY=()
  while IFS=$'\\t' read -r value rest; do
    if [[ "$value" == ":files" ]]; then
      if type compopt > /dev/null 2>&1; then
        compopt -o default
      else
        while IFS= read -r value; do COMPREPLY+=("$value"); done < <(compgen -f -- "$current")
      fi
    elif [[ -n "$value" ]]; then
      COMPREPLY+=("$(printf '%q' "$value")")
    fi
  done < <("\${COMP_WORDS[0]}" complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2> /dev/null)
}
complete -F _mapache_complete mapache
`,
  zsh: `#compdef mapache
# Completes mapache in zsh: eval "$(mapache completion zsh)"
_mapache() {
  local line value files
  local -a items
  while IFS= read -r line; do
    value="\${line%%$'\\t'*}"
    if [[ "$value" == ":files" ]]; then
      files=1
    elif [[ -n "$value" ]]; then
      items+=("\${value//:/\\\\:}:\${line#*$'\\t'}")
    fi
  done < <("\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)
  (( \${#items} )) && _describe mapache items
  [[ -n "$files" ]] && _files
  return 0
}
if [[ "\${funcstack[1]}" == "_mapache" ]]; then _mapache "$@"; else compdef _mapache mapache; fi
`,
  fish: `# Completes mapache in fish: mapache completion fish | source
function __mapache_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  for line in ($before[1] complete -- $before[2..-1] "$current" 2> /dev/null)
    if test "$line" = ":files"
      __fish_complete_path "$current"
    else
      echo $line
    end
  end
end
complete -c mapache -f -a '(__mapache_complete)'
`
}
