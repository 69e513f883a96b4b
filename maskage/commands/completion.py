"""Shell completion of a program, made by shtab from the parsers of its commands.

The scripts are static, so that no Python starts when Tab is pressed. What an option takes is known
by its metavar: a folder, a file, words, or both. Where the first word names no command, the default
command is meant; shtab has no such thing, so a few lines for each shell put its name in.
"""

import argparse
from collections.abc import Sequence

import shtab

_FOLDERS = {"CURATED", "DATA", "FOLDER", "RUN"}
_FILES = {"CSV", "FILE", "FILE.html", "ONNX", "PATH", "PEM", "RECIPE", "SOURCE"}

_DEFAULT_IN_BASH = """
{shtab}_pos_0_COMPGEN=_shtab_compgen_dirs
{shtab}_with_default() {{
  if [[ " {names} " != *" ${{COMP_WORDS[1]}} "* ]] &&
     [[ $COMP_CWORD -gt 1 || ${{COMP_WORDS[1]}} == -* ]]; then
    local COMP_WORDS=("${{COMP_WORDS[0]}}" {default} "${{COMP_WORDS[@]:1}}")
    local COMP_CWORD=$((COMP_CWORD + 1))
  fi
  {shtab} "$@"
}}
complete -o bashdefault -F {shtab}_with_default {program}
"""

_DEFAULT_IN_ZSH = """
functions[{shtab}_named]=$functions[{shtab}]
functions[{shtab}_commands_named]=$functions[{shtab}_commands]
{shtab}_commands() {{ {shtab}_commands_named; _files -/ }}
{shtab}() {{
  local names=({names})
  if (( ! ${{names[(Ie)${{words[2]}}]}} )) && [[ $CURRENT -gt 2 || ${{words[2]}} == -* ]]; then
    words=("${{words[1]}}" {default} "${{(@)words[2,-1]}}")
    (( CURRENT += 1 ))
  fi
  {shtab}_named "$@"
}}
"""

_DEFAULT_IN_FISH = """
function {shtab}_using
  {shtab}_scan
  test "${shtab}_cmdpath" = "$argv"
  or test -z "${shtab}_cmdpath" -a "$argv" = {default}
end
"""


def make_script(
    parser: argparse.ArgumentParser,
    shell: str,
    names: Sequence[str] = (),
    default: str | None = None,
) -> str:
    """Return the script that completes a program's command lines.

    Args:
        parser: The parser of the program, with a subparser for each command.
        shell: "bash", "zsh" or "fish".
        names: The words that may stand first.
        default: The command that is meant where none of them does; None for no such command.
    """
    for one in _all_parsers(parser):
        _mark(one)
    if default is None:
        return shtab.complete(parser, shell)
    values = {
        "program": parser.prog,
        "shtab": f"_shtab_{parser.prog}",
        "default": default,
        "names": " ".join(names),
    }
    if shell == "zsh":
        return shtab.complete(parser, shell, preamble=_DEFAULT_IN_ZSH.format(**values))
    more = _DEFAULT_IN_BASH if shell == "bash" else _DEFAULT_IN_FISH
    return shtab.complete(parser, shell) + more.format(**values)


def _all_parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    subparsers = [
        one
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for one in action.choices.values()
    ]
    return [parser, *subparsers]


def _mark(parser: argparse.ArgumentParser) -> None:
    for action in parser._actions:
        parts = str(action.metavar).split("|")
        words = [*vars(action).get("words", ()), *(part for part in parts if part.islower())]
        if _FOLDERS.intersection(parts):
            vars(action)["complete"] = shtab.DIRECTORY
        elif not _FILES.intersection(parts):
            action.choices = action.choices or words or None
        else:
            vars(action)["complete"] = _words_or_files(words) if words else shtab.FILE


def _words_or_files(words: list[str]) -> dict[str, str | dict[str, str]]:
    """Return a completion as shtab takes it: these words, and the names of files."""
    text = " ".join(words)
    name = f"_maskage_file_or_{'_'.join(word.replace('.', '_') for word in words)}"
    bash = f'{name}() {{ compgen -W "{text}" -- "$1"; compgen -f -- "$1"; }}'
    zsh = f"{name}() {{ compadd {text}; _files }}"
    return {
        "bash": name,
        "zsh": name,
        "fish": f"{text} (__fish_complete_path (commandline -ct))",
        "preamble": {"bash": bash, "zsh": zsh},
    }
