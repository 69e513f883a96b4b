"""Advice on what to shoot next: class, person and way, the most urgent first. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from maskage.classes.scheme import AGE, MASK, NONE, WORN, Scheme
from maskage.commands.text_table import list_some
from maskage.dataset.status.one_sided import OneSided, find_one_sided

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
    scheme: Scheme
    counts: Counts
    faults: Faults
    subjects: Mapping[str, Counts]
    sessions_of: Mapping[str, int]
    doubtful: int
    targets: Counts


def give_advice(
    scheme: Scheme,
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
        scheme: Classes of the dataset.
        counts: Photos in each class.
        faults: Numbers of measured photos and of each fault, for each class.
        subjects: For each subject, photos in each class.
        sessions_of: Number of sessions of each subject.
        target: Photos wanted in each class that has no target of its own.
        doubtful: Photos that are flagged, or that a model takes for another class.
    """
    targets = {each.folder: each.target or target for each in scheme}
    facts = _Facts(scheme, counts, faults, subjects, sessions_of, doubtful, targets)
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
    """Return subjects with many photos of one value of a factor and none of the others.

    Only people seen both ways teach a network the mask instead of the person.
    """
    found = find_one_sided(facts.scheme, facts.subjects, FEW)
    for one in found[:NAMED]:
        yield Advice(
            "one_sided",
            f"{_describe_side(facts.scheme, one)}: shoot {_name_classes(facts, one.missing)}",
            one.missing[0] if len(one.missing) == 1 else None,
            (one.subject,),
        )
    if rest := found[NAMED:]:
        names = tuple(dict.fromkeys(one.subject for one in rest))
        is_mask = all(_is_mask_or_none(facts.scheme, one.factor) for one in rest)
        sides = "with a mask or only without one; shoot the other side too"
        others = "one side; shoot the other classes too"
        yield Advice(
            "one_sided", f"{_name(names)}: only {sides if is_mask else others}", None, names
        )


def _describe_side(scheme: Scheme, one: OneSided) -> str:
    if _is_mask_or_none(scheme, one.factor):
        with_mask = one.value == WORN
        sides = ("with a mask", "without") if with_mask else ("without a mask", "with one")
        return f"{one.subject} has {one.photos} photos {sides[0]} and none {sides[1]}"
    what = f"with {one.factor} = {one.value}" if one.factor else f"of {one.value}"
    return f"{one.subject} has only photos {what} ({one.photos})"


def _is_mask_or_none(scheme: Scheme, factor: str | None) -> bool:
    """Return True for the factor of masks that are worn or not there, and nothing else."""
    return factor == MASK and set(scheme.factors[MASK]) == {WORN, NONE}


def _smaller_classes(facts: _Facts) -> Iterator[Advice]:
    labels, scheme = facts.scheme.labels, facts.scheme
    largest = max(labels, key=lambda label: facts.counts[label])
    for label in sorted(labels, key=lambda label: facts.counts[label]):
        count, target = facts.counts[label], facts.targets[label]
        if count >= target:
            continue
        reasons = []
        if count == 0:
            reasons.append("none yet, and a class without photos cannot be curated")
        elif count < FAR_BEHIND * facts.counts[largest]:
            reasons.append(f"{count} against {facts.counts[largest]} of {scheme.title(largest)}")
        names = _wanted_for(facts, label)
        if names:
            reasons.append(f"ask {_name(names)}")
        why = f": {'; '.join(reasons)}" if reasons else ""
        yield Advice(
            "class", f"{target - count} more of {_name_classes(facts, [label])}{why}", label, names
        )


def _wanted_for(facts: _Facts, label: str) -> tuple[str, ...]:
    """Return the people who have the fewest photos in a class, of its age where it has one."""
    scheme = facts.scheme
    of_age = [
        (counts[label], subject)
        for subject, counts in facts.subjects.items()
        if any(
            n for other, n in counts.items() if scheme.value(other, AGE) == scheme.value(label, AGE)
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
    for label in facts.scheme.labels:
        count = facts.counts[label]
        subject = max(facts.subjects, key=lambda name: facts.subjects[name][label])
        share = facts.subjects[subject][label] / count if count else 0
        if count >= FEW and share > MOST_OF_ONE:
            yield Advice(
                "one_person",
                f"{subject} makes up {share:.0%} of {facts.scheme.title(label)}: "
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
            f"{share:.0%} of {facts.scheme.title(label)} are {_STATES.get(fault, fault)}: "
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


def _name_classes(facts: _Facts, labels: Sequence[str]) -> str:
    """Return "mask, old (key 1) or mask, young (key 2)"."""
    named = []
    for label in labels:
        of_class = facts.scheme[label]
        key = f" (key {of_class.key})" if of_class.key else ""
        named.append(f"{of_class.title}{key}")
    if len(named) <= NAMED:
        return " or ".join(named)
    return list_some(named, NAMED, "or")


def _name(subjects: Sequence[str]) -> str:
    return list_some(subjects, NAMED)
