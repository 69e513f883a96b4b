"""Advice on what to shoot next: class, person and way, the most urgent first. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import AGE, MASK, NONE, WORN

MIN_PEOPLE = 3
"""One each for train, val and test, which share nobody."""
GOOD_PEOPLE = 10
"""Below this a test of a tenth of the people is a test of one person."""
MOST_OF_ONE = 0.25
"""Above this share of a class a network may learn the person for the class."""
FAR_BEHIND = 0.5
"""A class below this share of the largest."""
MANY_WEAK = 0.2
"""Share of a class with the same fault: a habit of the place, not a slip."""
FEW = 10
"""Below this many photos a share says nothing."""
NAMED = 3
"""Number of people that a line names."""

_HINTS = {
    "too dark": "more light, from the front",
    "too bright": "less light, or away from the window",
    "too much contrast": "softer light: no lamp or window behind or beside the face",
    "move closer": "come closer to the camera",
    "hold still": "hold still, clean the lens, give more light",
}
_STATES = {"too much contrast": "lit too hard", "move closer": "too small", "hold still": "soft"}
"""The advice of `maskage.pictures.quality.find_faults` as what it says of a photo."""

Counts = Mapping[str, int]
Faults = Mapping[str, tuple[int, Mapping[str, int]]]


class _Adviser(Protocol):
    def __call__(self, facts: "_Facts") -> Iterator["Advice"]: ...


@dataclass(frozen=True)
class Advice:
    """One thing to do next.

    Attributes:
        kind: One word for machines.
        text: For people.
        label: The class it is about, where it is about one.
        subjects: The people it is about, the most wanted first.
    """

    kind: str
    text: str
    label: str | None = None
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Facts:
    counts: Counts
    faults: Faults
    subjects: Mapping[str, Counts]
    sessions_of: Mapping[str, int]
    doubtful: int
    target: int


def give_advice(
    *,
    counts: Counts,
    faults: Faults,
    subjects: Mapping[str, Counts],
    sessions_of: Mapping[str, int],
    target: int,
    doubtful: int = 0,
) -> list[Advice]:
    """Return what to shoot next, the most urgent first; empty where nothing is missing.

    Args:
        counts: Photos in each class.
        faults: Numbers of measured photos and of each fault, for each class.
        subjects: For each subject, photos in each class.
        sessions_of: Number of sessions of each subject.
        target: Photos wanted in each class.
        doubtful: Photos that are flagged, or that a model takes for another class.
    """
    facts = _Facts(counts, faults, subjects, sessions_of, doubtful, target)
    advisers: tuple[_Adviser, ...] = (
        _fewer_than_a_split_needs,
        _one_sided_people,
        _smaller_classes,
        _unnamed_photos,
        _one_person_too_often,
        _weak_photos,
        _single_sessions,
        _fewer_than_a_test_needs,
        _doubtful_photos,
    )
    return [advice for adviser in advisers for advice in adviser(facts)]


def _fewer_than_a_split_needs(facts: _Facts) -> Iterator[Advice]:
    if len(facts.subjects) < MIN_PEOPLE:
        yield Advice(
            "people",
            f"at least {MIN_PEOPLE} people, named with --subject (found {len(facts.subjects)}): "
            f"a test is honest only on people the training never saw",
        )


def _one_sided_people(facts: _Facts) -> Iterator[Advice]:
    """Return subjects with many photos on one side of the mask and none on the other.

    Only people seen both ways teach a network the mask instead of the person.
    """
    found = []
    for subject, counts in facts.subjects.items():
        for has_mask in (False, True):
            there = sum(
                n for label, n in counts.items() if MASK_AGE.has(label, MASK, WORN) is has_mask
            )
            if there >= FEW and there == sum(counts.values()):
                found.append((there, subject, has_mask))
    found.sort(key=lambda one: (-one[0], one[1]))
    for there, subject, has_mask in found[:NAMED]:
        missing = [
            MASK_AGE.sibling(label, MASK, NONE if has_mask else WORN) or label
            for label in MASK_AGE.labels
            if facts.subjects[subject][label]
        ]
        sides = ("with a mask", "without") if has_mask else ("without a mask", "with one")
        yield Advice(
            "one_sided",
            f"{subject} has {there} photos {sides[0]} and none {sides[1]}: "
            f"shoot {_name_classes(missing)}",
            missing[0] if len(missing) == 1 else None,
            (subject,),
        )
    if rest := found[NAMED:]:
        names = tuple(subject for _there, subject, _has_mask in rest)
        yield Advice(
            "one_sided",
            f"{_name(names)}: only with a mask or only without one; shoot the other side too",
            None,
            names,
        )


def _smaller_classes(facts: _Facts) -> Iterator[Advice]:
    largest = max(MASK_AGE.labels, key=lambda label: facts.counts[label])
    for label in sorted(MASK_AGE.labels, key=lambda label: facts.counts[label]):
        count = facts.counts[label]
        if count >= facts.target:
            continue
        reasons = []
        if count == 0:
            reasons.append("none yet, and a class without photos cannot be curated")
        elif count < FAR_BEHIND * facts.counts[largest]:
            reasons.append(f"{count} against {facts.counts[largest]} of {MASK_AGE.title(largest)}")
        names = _wanted_for(facts, label)
        if names:
            reasons.append(f"ask {_name(names)}")
        why = f": {'; '.join(reasons)}" if reasons else ""
        yield Advice(
            "class", f"{facts.target - count} more of {_name_classes([label])}{why}", label, names
        )


def _wanted_for(facts: _Facts, label: str) -> tuple[str, ...]:
    """The people of its age who have the fewest photos in a class."""
    of_age = [
        (counts[label], subject)
        for subject, counts in facts.subjects.items()
        if any(
            n
            for other, n in counts.items()
            if MASK_AGE.value(other, AGE) == MASK_AGE.value(label, AGE)
        )
    ]
    return tuple(subject for _count, subject in sorted(of_age)[:NAMED])


def _unnamed_photos(facts: _Facts) -> Iterator[Advice]:
    total = sum(facts.counts.values())
    unnamed = total - sum(sum(counts.values()) for counts in facts.subjects.values())
    if unnamed and facts.subjects:
        yield Advice(
            "unnamed",
            f"{unnamed} of {total} photos name nobody: use --subject, so that nobody ends up "
            f"in training and test",
        )


def _one_person_too_often(facts: _Facts) -> Iterator[Advice]:
    # Four people who share a class alike have a quarter each.
    if len(facts.subjects) <= 1 / MOST_OF_ONE:
        return
    for label in MASK_AGE.labels:
        count = facts.counts[label]
        subject = max(facts.subjects, key=lambda name: facts.subjects[name][label])
        share = facts.subjects[subject][label] / count if count else 0
        if count >= FEW and share > MOST_OF_ONE:
            yield Advice(
                "one_person",
                f"{subject} makes up {share:.0%} of {MASK_AGE.title(label)}: "
                "shoot other people there",
                label,
                (subject,),
            )


def _weak_photos(facts: _Facts) -> Iterator[Advice]:
    found = []
    for label, (measured, faults) in facts.faults.items():
        for fault, count in faults.items():
            if measured >= FEW and count > MANY_WEAK * measured:
                found.append((count / measured, label, fault))
    for share, label, fault in sorted(found, key=lambda one: (-one[0], one[1], one[2])):
        yield Advice(
            "weak",
            f"{share:.0%} of {MASK_AGE.title(label)} are {_STATES.get(fault, fault)}: "
            f"{_HINTS[fault]}",
            label,
        )


def _single_sessions(facts: _Facts) -> Iterator[Advice]:
    once = tuple(name for name, sessions in sorted(facts.sessions_of.items()) if sessions == 1)
    if once:
        sat = "sat only once" if len(once) == 1 else "sat only once each"
        yield Advice(
            "sessions",
            f"{_name(once)} {sat}: another day, other light, other clothes",
            None,
            once,
        )


def _fewer_than_a_test_needs(facts: _Facts) -> Iterator[Advice]:
    if MIN_PEOPLE <= len(facts.subjects) < GOOD_PEOPLE:
        yield Advice(
            "people",
            f"more people: {len(facts.subjects)} so far; with {GOOD_PEOPLE} or more the test "
            f"is on more than one of them",
        )


def _doubtful_photos(facts: _Facts) -> Iterator[Advice]:
    if facts.doubtful:
        yield Advice(
            "review",
            f"before that, look at what is flagged or disputed ({facts.doubtful}): "
            f"`collector review`",
        )


def _name_classes(labels: Sequence[str]) -> str:
    """Return "mask, old (key 1) or mask, young (key 2)"."""
    return " or ".join(
        f"{MASK_AGE.title(label)} (key {MASK_AGE.index(label) + 1})" for label in labels
    )


def _name(subjects: Sequence[str]) -> str:
    if len(subjects) <= NAMED:
        return ", ".join(subjects)
    return f"{', '.join(subjects[:NAMED])} and {len(subjects) - NAMED} more"
