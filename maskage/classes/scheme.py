"""The scheme of a dataset: its classes in order, and the factors that they combine.

A label is the name of a class folder, a plain `str`. Whatever else is known of a class is asked
of the scheme: `scheme[label].title`, `scheme.value(label, "mask")`. The scheme travels with the
dataset, the curated set, the run and the bundle (`maskage.formats.classes.classes_file`).
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

LEAST_CLASSES = 2
MOST_CLASSES = 64
MOST_TEXT = 80
"""Most characters of a title, a factor's name or value."""

MOST_FOLDER_BYTES = 200
"""Most bytes of a folder's name in UTF-8; file systems take 255."""

MOST_TARGET = 1_000_000
MOST_FACTORS = 8

_OWN_NAME = "classes.toml"
_JOINERS = "\u200c\u200d"
"""Invisible characters that words and emoji need."""

DIGIT_KEYS = "123456789"
"""Keys of classes that were given none, in order; further classes have none."""

MASK = "mask"
"""The factor that masks are painted and drawn by; its values are the three below."""
WORN, MISWORN, NONE = "worn", "misworn", "none"
"""Over nose and mouth; below the nose, on the chin or hanging; not there."""

AGE = "age"
OLD, YOUNG = "old", "young"


@dataclass(frozen=True)
class PhotoClass:
    """A class that photos are labelled with.

    Attributes:
        folder: Name of the class folder; it is the label of every photo in it.
        title: Name for people: "mask, old".
        color: Colour in every screen and page, "#rrggbb".
        key: Key that shoots and labels, one character; None for none.
        target: Number of photos wanted; None for the one that the command was given.
        factors: Value of each factor of the scheme.
    """

    folder: str
    title: str
    color: str
    key: str | None = None
    target: int | None = None
    factors: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_folder(self.folder)
        _check_text(self.title, f"the title of the class {self.folder!r}")
        is_color = len(self.color) == 7 and self.color[0] == "#"
        if not is_color or not set(self.color[1:]) <= set("0123456789abcdef"):
            raise ValueError(
                f"the colour of the class {self.folder!r} is {self.color[:MOST_TEXT]!r}, not like "
                f'"#0072b2"'
            )
        if self.key is not None and not (len(self.key) == 1 and _is_mark(self.key)):
            raise ValueError(
                f"the key of the class {self.folder!r} is {self.key[:MOST_TEXT]!r}, not one "
                f"character"
            )
        if self.target is not None and not 1 <= self.target <= MOST_TARGET:
            raise ValueError(
                f"the target of the class {self.folder!r} is {self.target}, not 1 to "
                f"{MOST_TARGET:,}"
            )

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as red, green and blue, 0 to 255."""
        red, green, blue = bytes.fromhex(self.color[1:])
        return red, green, blue


@dataclass(frozen=True)
class Scheme:
    """The classes of a dataset, in order, and its factors.

    Attributes:
        classes: Classes, 2 to 64; a model's outputs have this order.
        factors: Values of each factor, in order, by its name; empty for plain classes. Every
            class has one value of each. A combination may be missing, and several classes may
            share one: two kinds of masks that are both worn.

    Raises:
        ValueError: The scheme contradicts itself; the text says where, as the end of a sentence.
    """

    classes: tuple[PhotoClass, ...]
    factors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.classes)
        if not LEAST_CLASSES <= count <= MOST_CLASSES:
            found = "only one class" if count == 1 else f"{count or 'no'} classes"
            raise ValueError(f"there {'is' if count == 1 else 'are'} {found}, not 2 to 64")
        _refuse_twins([each.folder for each in self.classes], "the folder")
        _refuse_twins([each.key for each in self.classes if each.key], "the key")
        if len(self.factors) > MOST_FACTORS:
            raise ValueError(f"there are {len(self.factors)} factors, not {MOST_FACTORS} or fewer")
        for name, values in self.factors.items():
            _check_factor(name, values)
        for each in self.classes:
            self._check_values(each)

    def __len__(self) -> int:
        return len(self.classes)

    def __iter__(self) -> Iterator[PhotoClass]:
        return iter(self.classes)

    def __contains__(self, label: object) -> bool:
        return label in self._numbers

    def __getitem__(self, label: str) -> PhotoClass:
        return self.classes[self._numbers[label]]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The class folders, in class order."""
        return tuple(each.folder for each in self.classes)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {each.folder: number for number, each in enumerate(self.classes)}

    @cached_property
    def is_told_by_factors(self) -> bool:
        """True if the values of the factors say which class it is, as a head of factors must."""
        values = {tuple(each.factors[name] for name in self.factors) for each in self.classes}
        return bool(self.factors) and len(values) == len(self.classes)

    def index(self, label: str) -> int:
        """Return the number of a class in the class order, from 0.

        Raises:
            KeyError: There is no such class.
        """
        return self._numbers[label]

    def title(self, label: str) -> str:
        """Return the name of a class for people: "mask, old"."""
        return self[label].title

    def value(self, label: str, factor: str) -> str | None:
        """Return the value that a class has of a factor: "worn"; None without such a factor."""
        return self[label].factors.get(factor)

    def has(self, label: str, factor: str, value: str) -> bool:
        """Return True if a class has this value of a factor."""
        return self[label].factors.get(factor) == value

    def find(self, values: Mapping[str, str]) -> str | None:
        """Return the class with exactly these values of the factors.

        None if there is none, or if there are several, since nothing tells which of them is meant.
        """
        found = [each.folder for each in self.classes if each.factors == values]
        return found[0] if len(found) == 1 else None

    def labels_with(self, factor: str, value: str) -> tuple[str, ...]:
        """Return the classes that have this value of a factor, in order; maybe none."""
        return tuple(each.folder for each in self.classes if each.factors.get(factor) == value)

    def factor_numbers(self, factor: str) -> tuple[int, ...]:
        """Return the number of each class's value in `factors[factor]`, in class order."""
        values = self.factors[factor]
        return tuple(values.index(each.factors[factor]) for each in self.classes)

    def sibling(self, label: str, factor: str, value: str) -> str | None:
        """Return the class that differs from `label` in one factor only; None as in `find`."""
        return self.find({**self[label].factors, factor: value})

    def _check_values(self, each: PhotoClass) -> None:
        if missing := [name for name in self.factors if name not in each.factors]:
            raise ValueError(f"the class {each.folder!r} has no value of the factor {missing[0]!r}")
        for name, value in each.factors.items():
            if name not in self.factors:
                raise ValueError(
                    f"the class {each.folder!r} has a factor {name!r} that [factors] does not list"
                )
            if value not in self.factors[name]:
                raise ValueError(
                    f"the class {each.folder!r} has {name} = {value!r}, which is not one of "
                    f"{', '.join(self.factors[name])}"
                )


def default_title(folder: str) -> str:
    """Return the title of a class that was given none: that of "no_mask" is "no mask"."""
    title = folder.replace("_", " ").strip() or folder
    return title if len(title) <= MOST_TEXT else f"{title[: MOST_TEXT - 1].rstrip()}…"


def names_as_elsewhere(folder: str) -> str:
    """Return what macOS, Windows and USB sticks hold a folder's name for: twins get one result."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", folder).casefold())


def check_folder(folder: str) -> None:
    """Refuse a name that the folder of a class cannot have on every system's disk.

    Raises:
        ValueError: The text says why, as the end of a sentence.
    """
    shown = repr(folder[:MOST_TEXT])
    if folder in ("", ".", "..") or "/" in folder or "\\" in folder:
        raise ValueError(f"{shown} is no name of a folder: it is a single name without / and \\")
    if folder.startswith("."):
        raise ValueError(f"the folder {shown} begins with a dot, as the tools' own folders do")
    if folder.casefold() == _OWN_NAME:
        raise ValueError(f"the folder {shown} has the name of the file that holds the classes")
    _check_characters(folder, f"the folder {shown}")
    if len(folder.encode()) > MOST_FOLDER_BYTES:
        raise ValueError(f"the folder {shown} is longer than {MOST_FOLDER_BYTES} bytes")


def _check_text(text: str, what: str) -> None:
    shown = repr(text[:MOST_TEXT])
    if not text or len(text) > MOST_TEXT:
        raise ValueError(f"{what} is {shown}, not 1 to {MOST_TEXT} characters")
    _check_characters(text, f"{what}, {shown},")


def _check_characters(text: str, what: str) -> None:
    """Refuse text that a terminal or a page does not show as it is."""
    hidden = next((one for one in text if _is_hidden(one)), None)
    if hidden is not None:
        raise ValueError(f"{what} has a character that cannot be shown: U+{ord(hidden):04X}")
    if text != text.strip():
        raise ValueError(f"{what} begins or ends with a blank, which nobody can see")
    if not any(map(_is_mark, text)):
        raise ValueError(f"{what} has no letter, digit or sign")


def _is_hidden(one: str) -> bool:
    """Return True for control characters, marks of direction, halves of characters, line ends."""
    return one not in _JOINERS and unicodedata.category(one) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _is_mark(one: str) -> bool:
    """Return True for a character that is seen by itself: a letter, a digit, a sign, an emoji."""
    return unicodedata.category(one)[0] in "LNPS"


def _check_factor(name: str, values: Sequence[str]) -> None:
    _check_text(name, "the name of a factor")
    for value in values:
        _check_text(value, f"a value of the factor {name!r}")
    if not 2 <= len(values) <= MOST_CLASSES:
        raise ValueError(f"the factor {name!r} has {len(values)} values, not two to {MOST_CLASSES}")
    _refuse_twins(values, f"a value of the factor {name!r},")


def _refuse_twins(names: Sequence[str], what: str) -> None:
    twins = [name for number, name in enumerate(names) if name in names[:number]]
    if twins:
        raise ValueError(f"{what} {twins[0]!r} stands twice")
