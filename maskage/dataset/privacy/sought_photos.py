"""The photos that are looked for outside their dataset, and by what a copy of one is known.

Everything is asked for, nothing is listed: the same search works with the photos themselves and
with the marks that are left of them (`maskage.dataset.privacy.tombstones`).
"""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maskage.dataset.doctor.files import facts_of_name
from maskage.dataset.privacy.subject_files import Belongings, stem_of, telling_words
from maskage.dataset.privacy.tombstones import Tombstone
from maskage.formats.output_log import Output
from maskage.pictures.perceptual_hash import is_same_picture

# "000012_<photo>.jpg" is the photo as `detector run --pictures` annotates it.
_ANNOTATED = re.compile(r"\d{6}_(?=.)")
# "<photo>__aug3.jpg" is a variant of it, as `curate` makes them.
_VARIANT = re.compile(r"__[a-z_-]+\d+$")


@dataclass(frozen=True)
class SoughtPhotos:
    """One person's photos.

    Attributes:
        root: Their dataset, absolute.
        subject: Pseudonym of the person.
        paths: Where they lie or may once have lain, relative to the dataset, and nobody else's lie.
        digests: sha256 of each file.
        names: Every name that one may have had, without its suffix.
        words: The person's pseudonym, and sessions in which nobody else was photographed.
        sizes: Bytes of each file, in decimal.
        embedded: sha256 of pictures in pages that showed them.
        outputs: Absolute paths of what was made with the person as its subject.
        sets: Digests of the curated sets that held them.
        fingerprints: Perceptual hash of each, where it is known.
    """

    root: Path
    subject: str
    paths: Container[str] = frozenset()
    digests: Container[str] = frozenset()
    names: Container[str] = frozenset()
    words: Container[str] = frozenset()
    sizes: Container[str] = frozenset()
    embedded: Container[str] = frozenset()
    outputs: Container[str] = frozenset()
    sets: Container[str] = frozenset()
    fingerprints: tuple[int, ...] = field(default=(), repr=False)

    def has_name(self, name: str) -> bool:
        """Return whether a file's name is that of a photo, of its variant or annotated copy."""
        return any(stem in self.names for stem in _stems(name))

    def has_path(self, path: str) -> bool:
        """Return whether a path ends in the class folder and name of a photo."""
        return "/".join(path.split("/")[-2:]) in self.paths

    def looks_like(self, fingerprint: int) -> bool:
        """Return whether a picture of this perceptual hash is near-identical to a photo."""
        return any(is_same_picture(fingerprint, each) for each in self.fingerprints)


@dataclass(frozen=True)
class Either(Container[str]):
    """What is in one of two containers."""

    one: Container[str]
    other: Container[str]

    def __contains__(self, value: object) -> bool:
        return value in self.one or value in self.other


def sought_photos(
    root: Path, subject: str, mine: Belongings, stone: Tombstone, outputs: Iterable[Output] = ()
) -> SoughtPhotos:
    """Return what is to be looked for: what a dataset holds of a person, and what it held before.

    Args:
        root: The dataset.
        subject: Pseudonym.
        mine: What it holds.
        stone: What is marked of what it held.
        outputs: From the dataset's log.
    """

    def either(kind: str, values: Container[str]) -> Container[str]:
        return Either(values, stone.of(kind)) if stone.marks else values

    return SoughtPhotos(
        root.resolve(),
        subject,
        paths=either("path", mine.paths),
        digests=either("digest", mine.digests),
        names=either("name", mine.names),
        words=either("word", mine.words | telling_words([subject])),
        sizes=either("size", mine.sizes),
        embedded=stone.of("embedded"),
        outputs=either("output", {str(each.path) for each in outputs if each.subject == subject}),
        sets=stone.of("set"),
        fingerprints=tuple(sorted(mine.fingerprints)),
    )


def is_one_photos_name(name: str) -> bool:
    """Return whether no other photo can have this name: it tells time, session and content."""
    return any(facts_of_name(f"{stem}.jpg")[0] is not None for stem in _stems(name))


def _stems(name: str) -> Iterator[str]:
    stem = stem_of(name)
    yield stem
    plain = _VARIANT.sub("", _ANNOTATED.sub("", stem))
    if plain != stem:
        yield plain
        yield _VARIANT.sub("", stem)
        yield _ANNOTATED.sub("", stem)
