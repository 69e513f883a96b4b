"""The options that ask for alarms, shared by `detector live` and `detector run`."""

import argparse
import math
import shlex
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from maskage.addresses import split_address
from maskage.classes.scheme import Scheme
from maskage.errors import CameraError, UsageError

ON_FOR_S = 0.5
COOL_DOWN_S = 30.0


@dataclass(frozen=True)
class AlarmSettings:
    """The conditions of an alarm, and its actions.

    Attributes:
        labels: The labels of the faces that raise it.
        commands: The programs to run, each as its words; no shell reads them.
        webhooks: The addresses to post to; they may hold passwords.
        on_for_s: The seconds that a face must have had such a label.
        cool_down_s: The seconds after an alarm in which no other is raised.
        rules: Each label with the pattern of `--on` that it was given by.
    """

    labels: frozenset[str]
    commands: tuple[tuple[str, ...], ...] = ()
    webhooks: tuple[str, ...] = ()
    on_for_s: float = ON_FOR_S
    cool_down_s: float = COOL_DOWN_S
    rules: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    def rule_of(self, label: str) -> str:
        """Return the pattern that a label was given by; the label itself where none is known."""
        return dict(self.rules).get(label, label)


@dataclass(frozen=True)
class AlarmRules:
    """The options for alarms, before the classes of the model are known.

    Attributes:
        patterns: What `--on` was given, in order.
        settings: All else; without labels.
    """

    patterns: tuple[str, ...]
    settings: AlarmSettings

    def for_classes(self, scheme: Scheme) -> AlarmSettings:
        """Return the settings with the labels that the patterns match.

        Raises:
            UsageError: A pattern matches no class of the scheme.
        """
        rules: dict[str, str] = {}
        for pattern in self.patterns:
            for label in match_labels(pattern, scheme):
                # Of two patterns with the same label it belongs to the first.
                rules.setdefault(label, pattern)
        return replace(self.settings, labels=frozenset(rules), rules=tuple(rules.items()))


def add_alarm_options(parser: argparse.ArgumentParser) -> None:
    """Add the options; `read_alarm_rules` reads them."""
    group = parser.add_argument_group(
        "alarms",
        "Run a program or call an address when a face is surely of a class. Both get the label, "
        "track, confidence and time as JSON, never a picture.",
    )
    add = group.add_argument
    add(
        "--on",
        action="append",
        metavar="PATTERN",
        help="class that raises an alarm, or all with a value of a factor, as in mask=none; "
        "* stands for anything, as in 'nomask_*'; repeatable",
    )
    add(
        "--exec",
        action="append",
        metavar="CMD",
        help="program to run, with the alarm as JSON on stdin and in MASKAGE_LABEL, _TRACK, "
        "_CONFIDENCE, _TIME_S, _AT, _SOURCE and _FILE; one at a time, for at most 30 s. No shell "
        "reads it: for one write \"sh -c '...'\"; repeatable",
    )
    add(
        "--webhook",
        action="append",
        metavar="URL",
        help="http:// or https:// address to POST the alarm to, as JSON; repeatable",
    )
    add(
        "--on-for",
        type=float,
        metavar="SECONDS",
        help=f"time that a face must keep such a label first (default: {ON_FOR_S:g}); does not "
        "count for a folder of pictures; where over 1 s lies between two frames, give 0",
    )
    add(
        "--cool-down",
        type=float,
        metavar="SECONDS",
        help="time after an alarm in which no other is raised, whoever is seen (default: "
        f"{COOL_DOWN_S:g}). Both are seconds of the recording, as in its events; a picture of a "
        "folder counts as one",
    )


def read_alarm_rules(arguments: argparse.Namespace) -> AlarmRules | None:
    """Return what the options of `add_alarm_options` ask for, or None where they are not given.

    Raises:
        UsageError: A program, address or time is not usable, or one is missing.
    """
    has_mqtt = getattr(arguments, "mqtt", None) is not None
    or_mqtt = ", or --mqtt URL" if hasattr(arguments, "mqtt") else ""
    has_action = bool(arguments.exec or arguments.webhook)
    if not arguments.on:
        if has_action:
            raise UsageError(
                "--exec and --webhook say what an alarm does, not what raises it. "
                "Add --on PATTERN, for example --on 'nomask_*'."
            )
        if arguments.on_for is not None or arguments.cool_down is not None:
            raise UsageError("--on-for and --cool-down are for alarms. Add --on PATTERN.")
        return None
    if not (has_action or has_mqtt):
        raise UsageError(
            f"--on says what raises an alarm, not what it does. Add --exec CMD or --webhook URL"
            f"{or_mqtt}."
        )
    on_for_s = ON_FOR_S if arguments.on_for is None else arguments.on_for
    cool_down_s = COOL_DOWN_S if arguments.cool_down is None else arguments.cool_down
    if not 0 <= on_for_s < math.inf:
        raise UsageError(f"--on-for is a number of seconds from 0; found {on_for_s:g}.")
    if not 0 < cool_down_s < math.inf:
        raise UsageError(f"--cool-down is a number of seconds above 0; found {cool_down_s:g}.")
    settings = AlarmSettings(
        frozenset(),
        tuple(_split_command(text) for text in arguments.exec or ()),
        tuple(_check_webhook(url) for url in arguments.webhook or ()),
        on_for_s,
        cool_down_s,
    )
    return AlarmRules(tuple(arguments.on), settings)


def match_labels(pattern: str, scheme: Scheme) -> Sequence[str]:
    """Return the classes that a pattern of `--on` means, in class order.

    It is the name of a class; else a pattern of names; else FACTOR=VALUE, of which the value may be
    a pattern. What comes first is taken: a class may be called "mask=none".

    Raises:
        UsageError: It matches no class.
    """
    if pattern in scheme:
        return [pattern]
    if found := [label for label in scheme.labels if fnmatchcase(label, pattern)]:
        return found
    factor, _, value = pattern.partition("=")
    if factor in scheme.factors and (
        found := [each.folder for each in scheme if fnmatchcase(each.factors[factor], value)]
    ):
        return found
    factors = [
        f"{name}={value}"
        for name, values in scheme.factors.items()
        for value in values
        if scheme.labels_with(name, value)
    ]
    also = f" Values of factors: {', '.join(factors)}." if factors else ""
    raise UsageError(
        f"--on {pattern!r} matches no label. The labels are {', '.join(scheme.labels)}.{also} "
        f"* stands for anything, as in '{scheme.labels[0][:1]}*'."
    )


def _split_command(text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as fault:
        raise UsageError(f"--exec {text!r} cannot be split into words: {fault}.") from fault
    if not words:
        raise UsageError("--exec names no program. Write it like --exec 'notify-send \"no mask\"'.")
    if shutil.which(words[0]) is None:
        raise UsageError(
            f"--exec: there is no program {words[0]!r} that can be run. Check its name and that "
            f"it is executable; what a shell is to read goes into \"sh -c '...'\"."
        )
    return words


def _check_webhook(url: str) -> str:
    # A refused address is not shown: it may hold a password.
    if not url.lower().startswith(("http://", "https://")) or any(map(str.isspace, url)):
        raise UsageError("--webhook takes an address like https://HOST/PATH, without spaces.")
    try:
        split_address(url)
    except CameraError as fault:
        raise UsageError(f"--webhook: {fault}") from None
    return url
