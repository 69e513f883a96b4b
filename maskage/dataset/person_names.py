"""People whom the names of files or folders name: `00042_Mask.jpg`, `anna_003.jpg`, `class/anna/`.

A single name says nothing: `face_crop_0001.jpg` has the form of `anna_smith_0001.jpg`. So all names
of a dataset are read together, and a form counts only where it is clear: several keys, most of them
in several photos, not one for each class, and not a word that cameras, scripts and sources use.
Names that are counters, times or digests name nobody. Pure.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from maskage.dataset.naming.forms import FORMS
from maskage.dataset.naming.spread import read_names
from maskage.dataset.naming.words import words_of_classes

EXAMPLES = 3

_OWN_NAME = re.compile(r"\d{8}T\d{9}Z_")


@dataclass(frozen=True)
class PersonNames:
    """The people whom the names of photos name.

    Attributes:
        keys: Name of the person of each photo, in the order of the names; None where its name names
            nobody.
        forms: The forms that were found, such as "NUMBER_mark", the first that was found first.
        confidence: Share of these photos whose person is in several photos, 0 to 1.
        examples: Some of the names, of one person where possible.
    """

    keys: tuple[str | None, ...]
    forms: tuple[str, ...]
    confidence: float
    examples: tuple[str, ...] = ()

    @property
    def people(self) -> int:
        """Number of people."""
        return len({key for key in self.keys if key is not None})

    @property
    def named(self) -> int:
        """Number of photos whose name names a person."""
        return sum(key is not None for key in self.keys)

    def __str__(self) -> str:
        """Return "00042.png, 00042_Mask.jpg: 100 people in 300 of 300 photos"."""
        return (
            f"{', '.join(self.examples)}: {self.people} people in {self.named} of "
            f"{len(self.keys)} photos"
        )


def find_people(
    names: Sequence[str], labels: Sequence[str] | None = None, *, is_asked: bool = False
) -> PersonNames | None:
    """Find the people whom the names of photos name.

    Args:
        names: Paths of all photos of a dataset or source, POSIX, below its root.
        labels: Class of each photo; None to take the folders that are the fewest for the classes.
        is_asked: True to count forms that are not clear too, because the user says that the names
            name people.

    Returns:
        The people; None where no form is clear.
    """
    photos = read_names(names, labels)
    plain = words_of_classes([photo.label for photo in photos])
    keys: list[str | None] = [None] * len(photos)
    forms = []
    # Photos that the toolchain named itself are many, and name nobody.
    others = [index for index, photo in enumerate(photos) if not _OWN_NAME.match(photo.stem)]
    for form, find in FORMS.items():
        left = [index for index in others if keys[index] is None]
        found = find([photos[index] for index in left], plain, is_asked)
        if any(key is not None for key in found):
            forms.append(form)
        for index, key in zip(left, found, strict=True):
            keys[index] = key
    if not forms:
        return None
    sizes = Counter(key for key in keys if key is not None)
    repeated = sum(count for count in sizes.values() if count > 1)
    examples = tuple(_some_names(names, keys, sizes))
    return PersonNames(tuple(keys), tuple(forms), repeated / sizes.total(), examples)


def _some_names(
    names: Sequence[str], keys: Sequence[str | None], sizes: Counter[str]
) -> Iterator[str]:
    """Yield some names of the first person who is in several photos, each once."""
    first = next((key for key in keys if key is not None and sizes[key] > 1), None)
    mine = [name for name, key in zip(names, keys, strict=True) if key == first]
    files = [PurePosixPath(name).name for name in mine]
    is_folder = first in PurePosixPath(mine[0]).parts[:-1] if mine else False
    shown = files if len(set(files)) > 1 and not is_folder else mine
    yield from list(dict.fromkeys(shown))[:EXAMPLES]
