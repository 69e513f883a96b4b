"""Copies of photos outside datasets, sets and runs: pages, tables, pictures, recordings, models.

Nothing is changed. What certainly shows a person is kept apart from what may.
"""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskage.dataset.privacy.page_search import PAGES, TEXTS, Mentions, find_mentions
from maskage.dataset.privacy.project_walk import Places
from maskage.dataset.privacy.sought_photos import Either, SoughtPhotos, is_one_photos_name
from maskage.errors import DatasetError, UnreadableImageError
from maskage.formats.bundle import dataset_digests
from maskage.formats.curated.export_file import is_export, read_export
from maskage.formats.output_log import Kind, Output
from maskage.formats.sums import hash_file
from maskage.pictures.images import read_image
from maskage.pictures.perceptual_hash import hash_crop
from maskage.pictures.picture_kinds import is_picture_file
from maskage.shell_words import join_words

_ANNOTATED = re.compile(r"(?:frame_\d{6}|\d{6}_.*)\.jpg", re.DOTALL)


@dataclass(frozen=True)
class LooseCopy:
    """A file, or a folder of one kind of files, that shows or may show a person.

    Attributes:
        path: Absolute path.
        reason: What says so, for the report.
        command: Command that removes it.
        is_certain: False if it may be somebody else.
    """

    path: Path
    reason: str
    command: str
    is_certain: bool = True


@dataclass(frozen=True)
class Namesakes:
    """Pictures that have the name of a photo, such as 1.jpg, which proves nothing by itself.

    Attributes:
        different: Those that look different from every photo, sorted.
        uncompared: Those that cannot be compared: the picture cannot be read, or the photos are
            gone. Sorted.
    """

    different: tuple[Path, ...] = ()
    uncompared: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.different or self.uncompared)


@dataclass(frozen=True)
class LooseCopies:
    """What a search found.

    Attributes:
        found: The copies, sorted by path.
        namesakes: Pictures of the same names.
        embedded: sha256 of the pictures in pages that show the photos.
        alike: sha256 of the pictures that have the name of a photo and look like one.
    """

    found: tuple[LooseCopy, ...]
    namesakes: Namesakes
    embedded: frozenset[str]
    alike: frozenset[str]


def find_loose_copies(
    places: Places,
    outputs: Sequence[Output],
    sought: SoughtPhotos,
    sets: Container[str],
    copies: Container[str] = frozenset(),
) -> LooseCopies:
    """Judge files, models and logged outputs.

    Args:
        places: The places to search.
        outputs: Outputs in the dataset's log.
        sought: The photos.
        sets: Digests of the curated sets that held them.
        copies: sha256 of the files in sets that were made from them.
    """
    search = _Search(sought, sets)
    for path in sorted(places.files):
        search.judge_file(path)
    for folder in sorted(places.models):
        search.judge_model(folder)
    exports = {output.path for output in outputs if output.kind is Kind.EXPORT}
    for path in sorted(places.exports | exports):
        search.judge_export(path, Either(sought.digests, copies))
    for output in outputs:
        search.judge_output(output)
    known = {output.path for output in outputs}
    for path in sorted(places.by_time - known):
        search.add(path, "kept by the live view; it is not known whom it shows", is_certain=False)
    namesakes = search.namesakes
    return LooseCopies(
        tuple(search.found[path] for path in sorted(search.found)),
        Namesakes(tuple(sorted(namesakes[True])), tuple(sorted(namesakes[False]))),
        frozenset(search.embedded),
        frozenset(search.alike),
    )


class _Search:
    """The copies found so far, by path."""

    def __init__(self, sought: SoughtPhotos, sets: Container[str]) -> None:
        self._sought, self._sets = sought, sets
        self.found: dict[Path, LooseCopy] = {}
        self.embedded: set[str] = set()
        self.alike: set[str] = set()
        self.namesakes: dict[bool, set[Path]] = {True: set(), False: set()}
        """Pictures with the name of a photo, by whether they were compared: they differ."""

    def add(self, path: Path, reason: str, *, is_certain: bool, command: str = "") -> None:
        command = command or join_words(["rm", *(["-r"] if path.is_dir() else []), str(path)])
        self.found.setdefault(path, LooseCopy(path, reason, command, is_certain))

    def judge_file(self, path: Path) -> None:
        suffix = path.suffix.lower()
        if suffix in PAGES or suffix in TEXTS:
            self._judge_text(path)
        elif is_picture_file(path):
            self._judge_picture(path)

    def judge_model(self, folder: Path) -> None:
        if any(digest in self._sets for digest in dataset_digests(folder)):
            self.add(folder, "a model that was trained on their photos", is_certain=True)

    def judge_export(self, path: Path, digests: Container[str]) -> None:
        """Judge what `curate export` made by the digests in its record."""
        if not is_export(path):
            return
        try:
            record = read_export(path)
        except DatasetError:
            self.add(path, "an export whose record cannot be read", is_certain=False)
            return
        if any(digest in digests for digest in record.digests):
            self.add(path, "an export with their photos", is_certain=True)

    def judge_output(self, output: Output) -> None:
        match output.kind:
            case Kind.PAGE | Kind.TABLE if output.path.is_file():
                self._judge_text(output.path)  # whatever its suffix
            case Kind.MODEL:
                for folder in (output.path, *_folders_in(output.path)):
                    self.judge_model(folder)
            case Kind.PICTURES if output.is_of_photos:
                for file in _files_in(output.path):
                    self.judge_file(file)
            case Kind.PICTURE | Kind.PICTURES | Kind.VIDEO:
                self._judge_shown(output)
        if output.subject is not None and output.kind is Kind.TABLE:
            self._judge_shown(output)

    def _judge_picture(self, path: Path) -> None:
        is_named, size = self._sought.has_name(path.name), _size_of(path)
        # Hashing is slow: only files with the size or the name of a photo are hashed.
        if (size in self._sought.sizes or is_named) and hash_file(path) in self._sought.digests:
            self.add(path, "an exact copy of a photo", is_certain=True)
        elif is_named and is_one_photos_name(path.name):
            self.add(path, "named after a photo", is_certain=True)
        elif is_named:
            self._judge_namesake(path)

    def _judge_namesake(self, path: Path) -> None:
        """Judge a picture whose name, such as 1.jpg, any photo may have, by how it looks."""
        fingerprint = _fingerprint_of(path) if self._sought.fingerprints else None
        if fingerprint is not None and self._sought.looks_like(fingerprint):
            self.alike.add(hash_file(path) or "")
            self.add(path, "has the name of a photo and looks like one", is_certain=True)
        elif self._sought.has_plain_name(path.name):
            self.namesakes[fingerprint is not None].add(path)
        else:
            # An annotated copy or a variant looks different from its photo.
            self.add(path, "named after a photo, or one of the same name", is_certain=False)

    def _judge_text(self, path: Path) -> None:
        if mentions := find_mentions(path, self._sought):
            self.embedded |= mentions.pictures
            self.add(path, _describe(mentions, self._sought), is_certain=mentions.is_certain)

    def _judge_shown(self, output: Output) -> None:
        """Judge an output without names by what was known when it was made."""
        subject, since = output.subject, output.at[:10]
        if subject is not None:
            if str(output.path) in self._sought.outputs:
                self._add_shown(output, f"of {since}, made with --subject {self._sought.subject}")
        elif output.is_of_photos:
            self._add_shown(output, f"of {since}, made of photos of this dataset", maybe=True)
        else:
            faces = ", faces blurred" if output.is_blurred else ""
            self._add_shown(output, f"of {since}, it is not known whom it shows{faces}", maybe=True)

    def _add_shown(self, output: Output, origin: str, *, maybe: bool = False) -> None:
        command = ""
        if output.kind is Kind.PICTURES and not (command := _removal_of_pictures(output.path)):
            return
        what = f"{_NOUNS[output.kind]} {origin}"
        self.add(output.path, what, is_certain=not maybe, command=command)


_NOUNS = {
    Kind.PICTURE: "a snapshot",
    Kind.PICTURES: "annotated pictures",
    Kind.VIDEO: "a video",
    Kind.TABLE: "events",
}


def _describe(mentions: Mentions, sought: SoughtPhotos) -> str:
    if mentions.is_unread:
        return "too large to be searched"
    shows, sure, maybe = len(mentions.pictures), len(mentions.photos), len(mentions.maybe)
    parts = [
        f"shows {shows} of their photos" if shows else "",
        f"names {sure} of their photos" if sure else "",
        f"has names that {maybe} of their photos have" if maybe else "",
        f"names {sought.subject} or a session of theirs" if mentions.is_named else "",
    ]
    return ", ".join(part for part in parts if part)


def _removal_of_pictures(folder: Path) -> str:
    """Return the command that removes annotated pictures; "" if there are none.

    They have the names that `detector run --pictures` gives. Their folder goes with them if
    nothing else lies in it.
    """
    entries = list(_entries(folder))
    ours = [path for path in entries if _ANNOTATED.fullmatch(path.name)]
    if ours and len(ours) == len(entries):
        return join_words(["rm", "-r", str(folder)])
    return join_words(["rm", *map(str, ours)]) if ours else ""


def _fingerprint_of(path: Path) -> int | None:
    try:
        return hash_crop(read_image(path))
    except UnreadableImageError:
        return None


def _size_of(path: Path) -> str | None:
    try:
        return str(path.stat().st_size)
    except OSError:
        return None


def _entries(folder: Path) -> Iterable[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _files_in(folder: Path) -> Iterator[Path]:
    yield from (path for path in _entries(folder) if path.is_file())


def _folders_in(folder: Path) -> Iterator[Path]:
    yield from (path for path in _entries(folder) if path.is_dir() and not path.is_symlink())
