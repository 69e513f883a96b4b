"""The parser of one command line: argparse with suggestions, and a short usage line in errors."""

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from maskage.addresses import hide_addresses
from maskage.errors import UsageError

SHORTEST_PREFIX = 3
"""Fewer letters say too little: a dataset may well be named "do"."""

_DASHES = "-\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"
"""Characters that begin an option, or are pasted from a page in place of the hyphens."""


_REWORDED = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"argument (\S+): invalid int value: (.*)", r"\1 is a whole number; found \2"),
        (r"argument (\S+): invalid float value: (.*)", r"\1 is a number; found \2"),
        (r"argument (\S+): expected one argument", r"\1 needs a value after it"),
        (r"argument (\S+): expected (\d+) arguments", r"\1 needs \2 values after it"),
        (r"argument (\S+): expected at least one argument", r"\1 needs one value or more after it"),
        (r"argument (\S+): ignored explicit argument (.*)", r"\1 takes no value; found \2"),
        (r"argument (\S+): not allowed with argument (\S+)", r"\1 is not allowed with \2"),
        (r"the following arguments are required: (.*)", r"missing: \1"),
        (r"unrecognized arguments: (.*)", r"not understood here: \1"),
        (r"argument (\S+): (.*)", r"\1: \2"),
    )
)
"""What argparse says, and how it is said here."""


_NEAR = 0.75
"""Least likeness of two words, 0 to 1, as `difflib` measures it: two letters of a word of four may
have changed places, but a folder `photos` or `shots` is not `snapshots`."""


def find_nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant by another one, or None.

    Args:
        word: As it was typed.
        known: Commands, options or choices.
    """
    names = {name.lower(): name for name in known}
    typed = word.lower()
    longer = [name for name in names if name.startswith(typed)]
    if len(longer) == 1 and len(typed.lstrip(_DASHES)) >= SHORTEST_PREFIX:
        return names[longer[0]]
    near = get_close_matches(typed, names, n=1, cutoff=_NEAR)
    return names[near[0]] if near else None


def suggest(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean ...?" for `find_nearest`, or an empty string."""
    nearest = find_nearest(word, known)
    return f" Did you mean {nearest}?" if nearest else ""


class CommandParser(argparse.ArgumentParser):
    """A parser of one command.

    Options are written in full, and may stand anywhere between the other words. A fault in the
    command line is raised as `UsageError`, with what was probably meant.

    Attributes:
        spell_out: Function that rewrites the words before they are parsed.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)
        self.spell_out: Callable[[Sequence[str]], Sequence[str]] = list
        self._words: dict[str, argparse.Action] = {}

    def add_word(self, option: str, offered: Sequence[str] = (), **settings: Any) -> None:
        """Add a word that may also be given as an option: `status DATA`, `status --data DATA`.

        Args:
            option: Name of the option, such as "--data".
            offered: Words that the completion of shells offers, beside files or folders.
            settings: What `add_argument` takes; `nargs` concerns the word, which is optional
                unless it is None.
        """
        settings = {"dest": option.removeprefix("--"), "nargs": argparse.OPTIONAL, **settings}
        dest, nargs = settings.pop("dest"), settings.pop("nargs")
        self._words[option] = word = self.add_argument(dest, nargs=nargs, **settings)
        settings["help"] = f"another way to give {settings['metavar']}"
        for action in (word, self.add_argument(option, dest=dest, **settings)):
            offer_words(action, offered)

    def parse_args(  # type: ignore[override]
        self, args: Sequence[str], namespace: None = None
    ) -> argparse.Namespace:
        """Parse a command line.

        Raises:
            UsageError: It cannot be understood.
        """
        words = list(self.spell_out(args))
        self.usage = short_usage(self)
        self._refuse_near_misses(words)
        every, names = self._actions, {word.partition("=")[0] for word in words}
        given = [action for option, action in self._words.items() if option in names]
        # A word that is given as an option takes none of the others.
        self._actions = [action for action in every if action not in given]
        try:
            # argparse cannot mix words with options where "--" ends the options.
            parse = super().parse_args if "--" in words else self.parse_intermixed_args
            return parse(words)
        finally:
            self._actions = every

    def error(self, message: str) -> NoReturn:
        """Raise a message of argparse as a sentence, with the usage and the way to the help."""
        # The word that was not understood may be an address with a password.
        message = hide_addresses(_reword(message))
        end = "" if message.endswith((".", "?")) else "."
        raise UsageError(
            f"{message[:1].upper()}{message[1:]}{end}",
            f"Usage: {short_usage(self)}",
            f"See `{self.prog} --help`.",
        )

    @property
    def option_names(self) -> tuple[str, ...]:
        """The options as they are typed."""
        return tuple(self._option_string_actions)

    def is_flag(self, option: str) -> bool:
        """Return whether there is such an option, and it takes no value."""
        action = self._option_string_actions.get(option)
        return action is not None and action.nargs == 0

    def _refuse_near_misses(self, words: Sequence[str]) -> None:
        """Refuse an option that is misspelt before its value is taken for something else."""
        for word in words:
            if word == "--":
                return
            name = word.partition("=")[0]
            if len(name) < 3 or name[0] not in _DASHES or name in self.option_names or " " in word:
                continue
            if nearest := find_nearest(f"--{name.lstrip(_DASHES)}", self.option_names):
                self.error(f"unknown option {name}. Did you mean {nearest}?")

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            near = suggest(str(value), choices)
            message = f"{value!r} is not one of {', '.join(choices)}.{near}"
            raise argparse.ArgumentError(action, message)


def _reword(message: str) -> str:
    """Return a message of argparse in plain words; any other message as it is."""
    for pattern, words in _REWORDED:
        if found := pattern.fullmatch(message):
            return found.expand(words)
    return message


def offer_words(action: argparse.Action, words: Iterable[str]) -> None:
    """Let the completion of shells offer words for an option that takes others too."""
    vars(action)["words"] = tuple(words)


def short_usage(parser: argparse.ArgumentParser) -> str:
    """Return a command line with its required words, and the options as one word."""
    if parser.usage is not None:
        return parser.usage
    required, positional = [], []
    for action in parser._actions:
        name = str(action.metavar or action.dest.upper())
        if action.option_strings:
            required += [f"{action.option_strings[0]} {name}"] if action.required else []
        elif action.nargs == argparse.ZERO_OR_MORE:
            positional.append(f"[{name} ...]")
        else:
            positional.append(f"[{name}]" if action.nargs == argparse.OPTIONAL else name)
    return " ".join([parser.prog, *required, "[options]", *positional])
