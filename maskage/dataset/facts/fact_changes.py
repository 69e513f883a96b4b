"""What changes when facts about photos are set or corrected: a plan, and its words. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from maskage.commands.text_table import list_some
from maskage.dataset.edits import Edit, describing
from maskage.outside_text import shown_text
from maskage.records import Photo

FACTS = ("subject", "session", "group")
"""The facts that a person may set, as `Photo` names them."""

_MOST_PAIRS = 4

Facts = Mapping[str, str | None]
"""New values by the name of the fact; None removes one, and what is missing stays."""


@dataclass(frozen=True)
class FactChange:
    """One fact of one photo before and after; None where it is not known."""

    fact: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class FactPlan:
    """The edits that set facts.

    Attributes:
        edits: One for each photo that changes, by path.
        unchanged: Number of photos that have these facts already.
    """

    edits: tuple[Edit, ...] = ()
    unchanged: int = 0


def plan_facts(wanted: Iterable[tuple[Photo, Facts]]) -> FactPlan:
    """Return the edits that give photos these facts.

    Args:
        wanted: Photos with their new facts.
    """
    edits, unchanged = [], 0
    for photo, facts in wanted:
        edit = describing(photo, **{name: value for name, value in facts.items() if name in FACTS})
        if edit.after == edit.before:
            unchanged += 1
        else:
            edits.append(edit)
    return FactPlan(tuple(sorted(edits, key=lambda edit: edit.photo.path)), unchanged)


def changes_of(edit: Edit) -> list[FactChange]:
    """Return the facts that an edit changes."""
    if edit.before is None or edit.after is None:
        return []
    pairs = [(name, getattr(edit.before, name), getattr(edit.after, name)) for name in FACTS]
    return [FactChange(name, before, after) for name, before, after in pairs if before != after]


def describe_changes(edits: Iterable[Edit]) -> list[str]:
    """Return a line for each fact: "subject: 12 set, 3 changed (p1 -> p2: 3)"."""
    changes = [change for edit in edits for change in changes_of(edit)]
    return [
        f"{fact}: {', '.join(words)}"
        for fact in FACTS
        if (words := _count_kinds([change for change in changes if change.fact == fact]))
    ]


def _count_kinds(changes: Sequence[FactChange]) -> list[str]:
    given = sum(change.before is None for change in changes)
    removed = Counter(change.before for change in changes if change.after is None)
    changed = Counter(
        (change.before, change.after)
        for change in changes
        if change.before is not None and change.after is not None
    )
    words = [f"{given} set"] if given else []
    if changed:
        pairs = [
            f"{shown_text(before)} -> {shown_text(after)}: {count}"
            for (before, after), count in changed.most_common()
        ]
        words.append(f"{changed.total()} changed ({list_some(pairs, _MOST_PAIRS)})")
    if removed:
        names = [f"{shown_text(before)}: {count}" for before, count in removed.most_common()]
        words.append(f"{removed.total()} removed ({list_some(names, _MOST_PAIRS)})")
    return words
