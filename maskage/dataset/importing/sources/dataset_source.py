"""A dataset or a curated set as a source: its photos come with all that is known of them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskage.dataset.importing.sources.own_output import OwnOutput
from maskage.dataset.importing.sources.source_walk import SourceWalk
from maskage.dataset.manifest.reading import read_consents
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.photo_names import digest_of
from maskage.dataset.store import PhotoStore
from maskage.errors import ToolchainError, UsageError
from maskage.formats.curated.curation_file import find_origin
from maskage.formats.curated.plan_file import read_plan
from maskage.pictures.picture_files import LeftOut
from maskage.records import Photo

VARIANT_REASON = "a variant that `curate` made of another photo"


@dataclass(frozen=True)
class SourceKnowledge:
    """What a source that the toolchain made knows of its photos.

    Attributes:
        photos: Each photo, by its path below the source.
        left_out: Pictures that are no photos of their own.
    """

    photos: dict[str, Photo] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()


def read_knowledge(source: Path, walk: SourceWalk, data: Path) -> SourceKnowledge:
    """Read what a source knows of its photos; nothing where it is anybody's folder.

    Args:
        source: The source.
        walk: What lies in it.
        data: The dataset that is imported into.

    Raises:
        UsageError: The source is a run or a model, or a curated set that was made of `data`.
        DatasetError: Its manifest or its plan is damaged.
    """
    if walk.own is OwnOutput.DATASET:
        return SourceKnowledge({photo.path: photo for photo in list_photos(source)})
    if walk.own is OwnOutput.CURATED:
        return _read_set(source, data)
    if walk.own not in (None, OwnOutput.EXPORT):
        raise UsageError(
            f"{source}: {walk.own.value}. Name a folder of photos. Nothing was imported."
        )
    return SourceKnowledge()


def copy_consents(source: Path, store: PhotoStore, own: OwnOutput | None) -> list[str]:
    """Record the consents of another dataset for subjects of this one that have none.

    Args:
        source: The dataset, or a set that was made of one.
        store: This dataset, open.
        own: Which of the two it is.

    Returns:
        The subjects, sorted.
    """
    mine = store.consents()
    subjects = {photo.subject for photo in store.photos()}
    dataset = find_origin(source).dataset if own is OwnOutput.CURATED else source
    if dataset is None:
        return []
    theirs = read_consents(dataset)
    copied = sorted(name for name in theirs if name in subjects and name not in mine)
    for name in copied:
        store.record_consent(theirs[name])
    return copied


def _read_set(source: Path, data: Path) -> SourceKnowledge:
    if (origin := find_origin(source).dataset) is not None and _is_same(origin, data):
        raise UsageError(
            f"{source}: a curated set that was made of {data}: its photos are there already. "
            f"Nothing was imported."
        )
    photos, variants = {}, []
    theirs = _photos_behind(origin)
    for row in read_plan(source):
        if row.is_kept and row.parent:
            variants.append(LeftOut(row.place, VARIANT_REASON))
        elif row.is_kept:
            known = Photo(row.place, row.label, group=row.group or None, origin=row.split or None)
            behind = theirs.get(row.path)
            if behind is not None and _is_copy(source / row.place, behind, row.change):
                known = replace(
                    known,
                    subject=behind.subject,
                    session=behind.session,
                    taken_at=behind.taken_at,
                )
            photos[row.place] = known
    return SourceKnowledge(photos, tuple(variants))


def _photos_behind(dataset: Path | None) -> dict[str, Photo]:
    """Return the photos of the dataset that a set was made of; none where it is not here."""
    if dataset is None:
        return {}
    try:
        return {photo.path: photo for photo in list_photos(dataset)}
    except ToolchainError:
        return {}


def _is_copy(file: Path, photo: Photo, change: str) -> bool:
    """Return whether a file of a set is a photo; another dataset may lie at its path by now."""
    if change or photo.sha256 is None:
        return True
    try:
        return digest_of(file.read_bytes()) == photo.sha256
    except OSError:
        return False


def without(walk: SourceWalk, left_out: Iterable[LeftOut]) -> SourceWalk:
    """Return a walk without these pictures, which are counted with their reason."""
    names = {each.path: each for each in left_out}
    there = [names[name] for name in walk.pictures if name in names]
    return SourceWalk(
        tuple(name for name in walk.pictures if name not in names),
        walk.tables,
        tuple(sorted([*walk.left_out, *there], key=lambda each: each.path)),
        walk.own,
        walk.links,
    )


def _is_same(folder: Path, other: Path) -> bool:
    try:
        return folder.samefile(other)
    except OSError:
        return False
