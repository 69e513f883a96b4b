"""Schemes of their own for tests: three mask values, names that break things, many classes."""

from dataclasses import replace

from maskage.classes.ready_made import READY_MADE, plain_scheme
from maskage.classes.scheme import AGE, MASK, PhotoClass, Scheme

MASK_STATE = READY_MADE["mask-state"]

ODD_NAMES = (
    "cat",
    "Mask",
    "mask",
    "CON",
    "=1+1",
    "unsure",
    "total",
    "label",
    "<b>&\"'x",
    "😀 fun",
    "مرحبا بالعالم",
    "a class whose name goes on and on and is longer than any column and button",
)
ODD = plain_scheme(ODD_NAMES)
"""Twelve plain classes; the first nine have the keys 1 to 9."""

MANY = plain_scheme([f"class {number:02d}" for number in range(64)])

MASK_ODD_VALUE = Scheme(
    (
        PhotoClass("beard", "a beard", "#7cc7f0", factors={MASK: "beard"}),
        PhotoClass("mask", "a mask", "#f0a92e", factors={MASK: "worn"}),
    ),
    {MASK: ("beard", "worn")},
)

AGE_ONLY = Scheme(
    (
        PhotoClass("old", "old", "#2f8fd0", factors={AGE: "old"}),
        PhotoClass("young", "young", "#7cc7f0", factors={AGE: "young"}),
    ),
    {AGE: ("old", "young")},
)


def with_keys(*keys: str | None) -> Scheme:
    """Plain classes with these keys."""
    classes = plain_scheme([f"class {number}" for number in range(len(keys))]).classes
    return Scheme(tuple(replace(each, key=key) for each, key in zip(classes, keys, strict=True)))
