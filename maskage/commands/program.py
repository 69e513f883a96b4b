"""A program as a table of commands, and what becomes of a command line."""

import argparse
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskage.commands.parser import CommandParser, find_nearest, short_usage
from maskage.console import run_command, show_block
from maskage.installation import ShowVersion
from maskage.shell_words import join_words

SHELLS = ("bash", "zsh", "fish")
HELP_WIDTH = 78
_COMPLETION = "--print-completion"


@dataclass(frozen=True)
class Command:
    """One command of a program.

    Attributes:
        name: The word that is typed.
        help: One line for the list of commands.
        description: What it does, for its own help.
        add_options: Function that adds its options to a parser.
        run: Function that does the work; it returns the exit code, and imports what is heavy.
        epilog: What stands below the options in its help; lines of its own stay as they are.
        spell_out: Function that rewrites the words before they are parsed.
    """

    name: str
    help: str
    description: str
    add_options: Callable[[CommandParser], None]
    run: Callable[[argparse.Namespace], int]
    epilog: str | None = None
    spell_out: Callable[[Sequence[str]], Sequence[str]] = list

    def make_parser(self, prog: str) -> CommandParser:
        """Return the parser of the command.

        Args:
            prog: The words that stand before its options.
        """
        is_laid_out = self.epilog is not None and "\n" in self.epilog
        parser = CommandParser(
            prog=prog,
            description=textwrap.fill(self.description, HELP_WIDTH),
            epilog=self.epilog,
            formatter_class=(
                argparse.RawDescriptionHelpFormatter if is_laid_out else argparse.HelpFormatter
            ),
        )
        self.fill(parser)
        return parser

    def fill(self, parser: CommandParser) -> None:
        """Add the options of the command, and those that every command has."""
        parser.spell_out = self.spell_out
        parser.add_argument("--version", action=ShowVersion)
        self.add_options(parser)


@dataclass(frozen=True)
class Program:
    """A program with its commands.

    Attributes:
        name: The word that is typed.
        description: What the program is for.
        commands: Its commands. A program with a single one needs no word for it.
        default: The one that is meant where the first word names none.
    """

    name: str
    description: str
    commands: tuple[Command, ...]
    default: Command | None = None

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run the program and return its exit code.

        Args:
            argv: The words after its name; None for those of the process.
        """
        words = list(sys.argv[1:] if argv is None else argv)
        return run_command(lambda: self._run(words))

    def make_parser(self) -> CommandParser:
        """Return the parser of the program itself, with the options of its default command."""
        parser = CommandParser(
            prog=self.name,
            description=self._describe(),
            epilog=self.default.epilog if self.default else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if self.default:
            self.default.fill(parser)
            if self.named:
                parser.usage = short_usage(parser).replace(self.name, f"{self.name} [COMMAND]", 1)
        else:
            parser.usage = f"{self.name} COMMAND [options]"
            parser.add_argument("--version", action=ShowVersion)
        parser.add_argument(
            _COMPLETION,
            choices=SHELLS,
            help="print the script that completes this program in a shell (see README.md)",
        )
        return parser

    def make_completion(self, shell: str) -> str:
        """Return the script that completes the program's command lines.

        Args:
            shell: One of `SHELLS`.
        """
        from maskage.commands.completion import make_script

        if not self.named:
            return make_script(self.make_parser(), shell)
        parser = argparse.ArgumentParser(prog=self.name)
        parser.add_argument("--version", action="store_true", help="print the version")
        parser.add_argument(_COMPLETION, choices=SHELLS, help="print what completes in a shell")
        commands = parser.add_subparsers(parser_class=CommandParser)
        for command in self.commands:
            command.fill(commands.add_parser(command.name, help=command.help))
        names = [*self.named, _COMPLETION]
        return make_script(parser, shell, names, self.default.name if self.default else None)

    @property
    def named(self) -> dict[str, Command]:
        """The commands by their words; none where a single command needs no word."""
        if self.commands == (self.default,):
            return {}
        return {command.name: command for command in self.commands}

    def _run(self, words: list[str]) -> int:
        first = words[0] if words else ""
        if command := self.named.get(first):
            return command.run(command.make_parser(f"{self.name} {first}").parse_args(words[1:]))
        parser = self.make_parser()
        self._refuse_near_miss(first, parser)
        option, later = first.partition("=")[0], [word for word in words if word in self.named]
        if later and option.startswith("-") and option not in parser.option_names:
            parser.error(f"{option} stands before the command. Write `{self.name} {later[0]} ...`")
        arguments = parser.parse_args(words)
        if arguments.print_completion:
            show_block(self.make_completion(arguments.print_completion))
            return 0
        if self.default is None:
            parser.error(f"no command given. The commands are {', '.join(self.named)}")
        for number, word in enumerate(words[1:], 1):
            if word == str(getattr(arguments, "data", None)):
                self._refuse_late_command(words, number, parser)
                self._refuse_near_miss(word, parser)
        return self.default.run(arguments)

    def _refuse_late_command(
        self, words: Sequence[str], number: int, parser: CommandParser
    ) -> None:
        """Refuse a command that stands behind its options, with the whole line as it is meant."""
        word = words[number]
        command = self.named.get(word)
        if command is None or words[number - 1] == "--data" or Path(word).exists():
            return
        others = [*words[:number], *words[number + 1 :]]
        known = command.make_parser(self.name).option_names
        options = [other.partition("=")[0] for other in others if other.startswith("-")]
        unknown = [option for option in options if option not in known]
        rest = "..." if unknown else join_words(others)
        lacking = f" It has no {' and no '.join(unknown)}." if unknown else ""
        parser.error(
            f"the command {word} stands before its options. Write `{self.name} {word} {rest}`."
            f"{lacking} A folder of this name is written ./{word}"
        )

    def _refuse_near_miss(self, word: str, parser: CommandParser) -> None:
        """Refuse a word that is no command, so that it is not taken for a folder to be made."""
        if not word or word.startswith("-") or "/" in word:
            return
        meant = find_nearest(word, self.named)
        if parser.is_flag(f"--{word}"):
            meant = f"--{word}"
        hint = f" Did you mean `{self.name} {meant}`?" if meant else ""
        if self.default is None:
            hint = hint or f" The commands are {', '.join(self.named)}."
            parser.error(f"no command {word!r}.{hint}")
        if meant and not Path(word).exists():
            what = f"command {word!r}, and no such folder" if self.named else f"folder {word!r}"
            parser.error(f"no {what}.{hint} A folder of this name is written ./{word}")

    def _describe(self) -> str:
        parts = [textwrap.fill(self.description, HELP_WIDTH)]
        if self.named:
            width = max(10, *(2 + len(name) for name in self.named))
            rows = [f"  {name:<{width}}{command.help}" for name, command in self.named.items()]
            parts += ["\n".join(["commands:", *rows]), f"`{self.name} COMMAND --help` says more."]
        if self.named and self.default:
            parts.append(f"Without a command it is `{self.name} {self.default.name}`, with:")
        return "\n\n".join(parts)
