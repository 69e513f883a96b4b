"""People who were photographed in only one way, where the classes know another. Pure.

Somebody with photos in a mask and none without one teaches a network the person for the mask.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from maskage.classes.scheme import AGE, MASK, Scheme


@dataclass(frozen=True)
class OneSided:
    """A subject whose photos have one value of a factor only.

    Attributes:
        subject: Pseudonym of the person.
        factor: Name of the factor; None where the classes are plain.
        value: The value, or the title of the only class.
        photos: Number of photos.
        missing: The classes that differ from those of the subject in this factor only.
    """

    subject: str
    factor: str | None
    value: str
    photos: int
    missing: tuple[str, ...]


def find_one_sided(
    scheme: Scheme, subjects: Mapping[str, Mapping[str, int]], least: int
) -> list[OneSided]:
    """Find the subjects with photos on one side only, those with the most photos first.

    A factor other than the mask counts where somebody has photos of two of its values: then it is
    no trait of a person. The age is one.

    Args:
        scheme: Classes of the dataset.
        subjects: For each subject, photos in each class.
        least: Fewest photos that a subject is judged by.
    """
    factors = [name for name in scheme.factors if name != AGE] if scheme.factors else [None]
    found = [
        one
        for factor in factors
        if factor == MASK or _changes_in_a_person(scheme, factor, subjects)
        for subject, counts in subjects.items()
        if (one := _one_sided(scheme, factor, subject, counts)) and one.photos >= least
    ]
    return sorted(found, key=lambda one: (-one.photos, one.subject))


def _changes_in_a_person(
    scheme: Scheme, factor: str | None, subjects: Mapping[str, Mapping[str, int]]
) -> bool:
    return any(len(_values(scheme, factor, counts)) > 1 for counts in subjects.values())


def _values(scheme: Scheme, factor: str | None, counts: Mapping[str, int]) -> set[str]:
    return {_value(scheme, factor, label) for label, count in counts.items() if count}


def _value(scheme: Scheme, factor: str | None, label: str) -> str:
    return label if factor is None else scheme[label].factors[factor]


def _one_sided(
    scheme: Scheme, factor: str | None, subject: str, counts: Mapping[str, int]
) -> OneSided | None:
    values = _values(scheme, factor, counts)
    if len(values) != 1:
        return None
    there = [label for label in scheme.labels if counts.get(label)]
    (value,) = values
    if factor is None:
        missing = [label for label in scheme.labels if label != value]
        value = scheme.title(value)
    else:
        siblings = {
            scheme.sibling(label, factor, other)
            for label in there
            for other in scheme.factors[factor]
            if other != value
        }
        missing = [label for label in scheme.labels if label in siblings]
    photos = sum(counts.values())
    return OneSided(subject, factor, value, photos, tuple(missing)) if missing else None
