"""`completion`: what the shell offers after the Tab key, for `kubectl haapp` and for `kubectl-haapp`.

kubectl asks an executable named `kubectl_complete-haapp` for the words that may follow, one a line, and a directive of
cobra's last. That is the entry point `kubectl_complete`; the shells' scripts ask the same.
"""

import argparse
import importlib
import sys
from collections.abc import Iterator, Sequence
from typing import Final, cast

from haapp.cli.errors import FINE

EXAMPLES = """\
  source <(kubectl-haapp completion bash)
  kubectl-haapp completion zsh > "${fpath[1]}/_kubectl-haapp"
  kubectl-haapp completion fish > ~/.config/fish/completions/kubectl-haapp.fish

  `kubectl haapp` itself is completed by kubectl's own completion, as long as kubectl_complete-haapp is on the PATH.
"""

FILES, NO_FILES = 0, 4
"""cobra's directives: also offer files, or not."""

BASH: Final = """\
_kubectl_haapp() {
    local words
    words=$(kubectl_complete-haapp "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
    local directive=${words##*:}
    words=$(sed '$d' <<< "$words" | cut -f1)
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${COMP_WORDS[COMP_CWORD]}")
    if [[ $directive == 0 && ${#COMPREPLY[@]} == 0 ]]; then compopt -o default; fi
}
complete -F _kubectl_haapp kubectl-haapp
"""
ZSH: Final = """\
#compdef kubectl-haapp
_kubectl_haapp() {
    local -a offered words
    offered=("${(@f)$(kubectl_complete-haapp "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    local directive=${offered[-1]#:}
    words=("${(@)${(@)offered[1,-2]}/$'\\t'/:}")
    if (( ${#words} )); then _describe kubectl-haapp words; elif [[ $directive == 0 ]]; then _files; fi
}
compdef _kubectl_haapp kubectl-haapp
"""
FISH: Final = """\
function __kubectl_haapp
    set -l tokens (commandline -opc) (commandline -ct)
    kubectl_complete-haapp $tokens[2..-1] 2>/dev/null | string match -rv '^:\\d+$'
end
complete -c kubectl-haapp -a '(__kubectl_haapp)'
"""
SCRIPTS: Final = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=tuple(SCRIPTS))


def run(arguments: argparse.Namespace) -> int:
    sys.stdout.write(SCRIPTS[arguments.shell])
    return FINE


def kubectl_complete(argv: Sequence[str] | None = None) -> int:
    """The words that may stand where the last of `argv` is being written, then the directive."""
    *before, begun = list(sys.argv[1:] if argv is None else argv) or [""]
    offered, directive = _offer(before)
    for word, meaning in offered:
        if word.startswith(begun):
            print(f"{word}\t{meaning}" if meaning else word)
    print(f":{directive}")
    return FINE


def _offer(before: Sequence[str]) -> tuple[list[tuple[str, str]], int]:
    from haapp.cli.main import COMMANDS, CommandModule  # noqa: PLC0415  (main names this module)

    called = next((word for word in before if word in COMMANDS), None)
    if called is None:
        return [(name, command.summary) for name, command in COMMANDS.items()], NO_FILES
    parser = argparse.ArgumentParser(add_help=False)
    cast("CommandModule", importlib.import_module(COMMANDS[called].module)).configure(parser)
    actions = parser._actions  # noqa: SLF001  (argparse has no other way to be asked)
    taking = next((action for action in actions if before[-1] in action.option_strings), None)
    if taking is not None and taking.nargs != 0:
        return [(str(choice), "") for choice in taking.choices or ()], NO_FILES if taking.choices else FILES
    return list(_arguments(actions)), FILES


def _arguments(actions: Sequence[argparse.Action]) -> Iterator[tuple[str, str]]:
    for action in actions:
        if action.option_strings:
            yield action.option_strings[-1], (action.help or "").partition(" (")[0].replace("%%", "%")
        elif action.choices:
            yield from ((str(choice), "") for choice in action.choices)
