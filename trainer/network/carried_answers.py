"""Which answers of a network's head another network can take over, whose classes may differ."""

from collections.abc import Sequence

from maskage.classes.scheme import Scheme
from trainer.recipe import CLASSES

Answer = tuple[str, ...]


def name_answers(heads: str, scheme: Scheme) -> list[Answer]:
    """Return what each answer of a head means, in the order of `merge_matrix`."""
    if heads == CLASSES:
        return [(label,) for label in scheme.labels]
    names: list[Answer] = []
    for factor, values in scheme.factors.items():
        # Of two values, one answer tells the first from the second.
        names += [(factor, *values)] if len(values) == 2 else [(factor, each) for each in values]
    return names


def carry_answers(former: Sequence[Answer], wanted: Sequence[Answer]) -> list[int] | None:
    """Return the place of each wanted answer among the former ones; None if one is missing."""
    places = {name: place for place, name in enumerate(former)}
    if any(name not in places for name in wanted):
        return None
    return [places[name] for name in wanted]
