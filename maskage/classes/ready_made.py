"""The schemes that are known by name, and schemes of plain classes made from folder names."""

from collections.abc import Mapping, Sequence

from maskage.classes.colors import BLUE, GREEN, ORANGE, SKY, VERMILLION, default_color
from maskage.classes.scheme import (
    AGE,
    DIGIT_KEYS,
    MASK,
    MISWORN,
    NONE,
    OLD,
    WORN,
    YOUNG,
    PhotoClass,
    Scheme,
    default_title,
)

_AGES = (OLD, YOUNG)


def _scheme(
    factors: Mapping[str, tuple[str, ...]], rows: Sequence[tuple[str, str, str, tuple[str, ...]]]
) -> Scheme:
    return Scheme(
        tuple(
            PhotoClass(folder, title, color, key, factors=dict(zip(factors, values, strict=True)))
            for key, (folder, title, color, values) in zip(DIGIT_KEYS, rows, strict=False)
        ),
        factors,
    )


MASK_AGE = _scheme(
    {MASK: (WORN, NONE), AGE: _AGES},
    (
        ("mask_old", "mask, old", BLUE, (WORN, OLD)),
        ("mask_young", "mask, young", SKY, (WORN, YOUNG)),
        ("nomask_old", "no mask, old", VERMILLION, (NONE, OLD)),
        ("nomask_young", "no mask, young", ORANGE, (NONE, YOUNG)),
    ),
)
"""The four classes of a dataset without a scheme of its own."""

READY_MADE: Mapping[str, Scheme] = {
    "mask-age": MASK_AGE,
    "mask": _scheme(
        {MASK: (WORN, NONE)},
        (("mask", "mask", SKY, (WORN,)), ("nomask", "no mask", ORANGE, (NONE,))),
    ),
    "mask-state": _scheme(
        {MASK: (WORN, MISWORN, NONE)},
        (
            ("worn", "mask worn", SKY, (WORN,)),
            ("misworn", "mask misworn", GREEN, (MISWORN,)),
            ("none", "no mask", ORANGE, (NONE,)),
        ),
    ),
    "mask-state-age": _scheme(
        {MASK: (WORN, MISWORN, NONE), AGE: _AGES},
        (
            ("mask_old", "mask, old", BLUE, (WORN, OLD)),
            ("mask_young", "mask, young", SKY, (WORN, YOUNG)),
            ("misworn_old", "misworn, old", "#15795f", (MISWORN, OLD)),
            ("misworn_young", "misworn, young", GREEN, (MISWORN, YOUNG)),
            ("nomask_old", "no mask, old", VERMILLION, (NONE, OLD)),
            ("nomask_young", "no mask, young", ORANGE, (NONE, YOUNG)),
        ),
    ),
}
"""Schemes by the names that `collector init --classes` takes."""


def plain_scheme(folders: Sequence[str]) -> Scheme:
    """Return a scheme of plain classes, in this order, without factors.

    The first nine get the keys 1 to 9.

    Raises:
        ValueError: See `Scheme`.
    """
    return Scheme(
        tuple(
            PhotoClass(
                folder,
                title=default_title(folder),
                color=default_color(number),
                key=DIGIT_KEYS[number] if number < len(DIGIT_KEYS) else None,
            )
            for number, folder in enumerate(folders)
        )
    )


def scheme_of_folders(folders: Sequence[str]) -> Scheme:
    """Return the ready-made scheme that has these folders, or else plain classes in this order.

    Raises:
        ValueError: They are no scheme; the text says why, as the end of a sentence.
    """
    same = (scheme for scheme in READY_MADE.values() if set(scheme.labels) == set(folders))
    return next(same, None) or plain_scheme(folders)
