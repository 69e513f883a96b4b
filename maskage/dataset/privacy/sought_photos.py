"""The photos that are searched for outside their dataset, and what identifies a copy of one.

Values are only tested, never listed: the same search works with the photos themselves and with the
marks that are kept of them (`maskage.dataset.privacy.tombstones`).
"""

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maskage.dataset.doctor.files import facts_of_name
from maskage.dataset.privacy.subject_files import SubjectFiles, identifying_words, stem_of
from maskage.dataset.privacy.tombstones import Tombstone
from maskage.formats.output_log import Output
from maskage.pictures.perceptual_hash import is_same_picture

# "000012_<photo>.jpg" is the photo as `detector run --pictures` annotates it.
_ANNOTATED = re.compile(r"\d{6}_(?=.)")
# "<photo>__aug3.jpg" is a variant that `curate` made of the photo.
_VARIANT = re.compile(r"__[a-z_-]+\d+$")


@dataclass(frozen=True)
class SoughtPhotos:
    """One person's photos.

    Attributes:
        root: Absolute path of their dataset.
        subject: Pseudonym of the person.
        paths: Paths in the dataset, present and former, that no other person's photo has. A path in
            a folder that is none of `labels`, of a class with another name then or elsewhere,
            is one if no other person's photo has its file name: see `AnyClass`.
        labels: Classes of the dataset, and those of its rows.
        digests: sha256 of each file, and of those that they were imported from.
        names: Every name that a photo may have had, without its suffix.
        words: The person's pseudonym, and sessions in which no other person was photographed.
        sizes: Bytes of each file, in decimal.
        embedded: sha256 of pictures in pages that showed the photos.
        outputs: Absolute paths of outputs with the person as their subject.
        sets: Digests of the curated sets that held the photos.
        fingerprints: Perceptual hashes of the photos, as far as they are known.
    """

    root: Path
    subject: str
    paths: Container[str] = frozenset()
    labels: tuple[str, ...] = ()
    digests: Container[str] = frozenset()
    names: Container[str] = frozenset()
    words: Container[str] = frozenset()
    sizes: Container[str] = frozenset()
    embedded: Container[str] = frozenset()
    outputs: Container[str] = frozenset()
    sets: Container[str] = frozenset()
    fingerprints: tuple[int, ...] = field(default=(), repr=False)

    def has_name(self, name: str) -> bool:
        """Return True if a file has the name of a photo, its variant or its annotated copy."""
        return any(stem in self.names for stem in _stems(name))

    def has_plain_name(self, name: str) -> bool:
        """Return True if a file has the name of a photo itself, whatever its suffix."""
        return stem_of(name) in self.names

    def has_path(self, path: str) -> bool:
        """Return True if a path ends in the class folder and name of a photo."""
        return "/".join(path.split("/")[-2:]) in self.paths

    def looks_like(self, fingerprint: int) -> bool:
        """Return True if a picture with this perceptual hash is nearly identical to a photo."""
        return any(is_same_picture(fingerprint, each) for each in self.fingerprints)


@dataclass(frozen=True)
class Either(Container[str]):
    """The union of two containers."""

    one: Container[str]
    other: Container[str]

    def __contains__(self, value: object) -> bool:
        return value in self.one or value in self.other


@dataclass(frozen=True)
class AnyClass(Container[str]):
    """Paths of photos, of which "/<name>" stands for that name in a class that is not known.

    Attributes:
        paths: The paths.
        labels: The known classes.
    """

    paths: Container[str]
    labels: tuple[str, ...]

    def __contains__(self, value: object) -> bool:
        if value in self.paths:
            return True
        folder, slash, name = str(value).partition("/")
        return bool(slash) and folder not in self.labels and f"/{name}" in self.paths


def gather_sought_photos(
    root: Path, subject: str, mine: SubjectFiles, stone: Tombstone, outputs: Iterable[Output] = ()
) -> SoughtPhotos:
    """Gather what a dataset holds of a person, and what it held before.

    Args:
        root: Folder of the dataset.
        subject: Pseudonym of the person.
        mine: The person's files that it holds.
        stone: Marks of the files that it held.
        outputs: Outputs in the dataset's log.
    """

    def either(kind: str, values: Container[str]) -> Container[str]:
        return Either(values, stone.of(kind)) if stone.marks else values

    return SoughtPhotos(
        root.resolve(),
        subject,
        paths=AnyClass(either("path", mine.paths), mine.labels),
        labels=mine.labels,
        digests=either("digest", mine.digests | mine.sources),
        names=either("name", mine.names),
        words=either("word", mine.words | identifying_words([subject])),
        sizes=either("size", mine.sizes),
        embedded=stone.of("embedded"),
        outputs=either("output", {str(each.path) for each in outputs if each.subject == subject}),
        sets=stone.of("set"),
        fingerprints=tuple(sorted(mine.fingerprints)),
    )


def is_one_photos_name(name: str) -> bool:
    """Return True if only one photo can have this name: it has time, session and digest in it."""
    return any(facts_of_name(f"{stem}.jpg")[0] is not None for stem in _stems(name))


def _stems(name: str) -> Iterator[str]:
    stem = stem_of(name)
    yield stem
    plain = _VARIANT.sub("", _ANNOTATED.sub("", stem))
    if plain != stem:
        yield plain
        yield _VARIANT.sub("", stem)
        yield _ANNOTATED.sub("", stem)
