"""Read what is exported: a curated set or a dataset, and what its dataset knows of each photo."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.dataset.consent import Consent, find_objection
from maskage.dataset.manifest.reading import read_consents
from maskage.dataset.photo_listing import list_photos
from maskage.errors import DatasetError
from maskage.formats.classes.classes_file import read_scheme
from maskage.formats.curated.curated_set import (
    SPLITS,
    CuratedDataset,
    list_left_out,
    read_curated,
    require_all_read,
)
from maskage.formats.curated.curation_file import find_origin
from maskage.formats.curated.plan_file import read_plan
from maskage.outside_text import shown_text
from maskage.pictures.picture_files import LeftOut
from maskage.records import FaceBox, Photo

UNNAMED = "nobody is named as the person in them"
GONE = "no longer in the dataset"


@dataclass(frozen=True)
class SourcePhoto:
    """A photo that may be exported.

    Attributes:
        path: Absolute path of the file.
        label: The class.
        split: "train", "val" or "test"; "" for a dataset, which has no splits.
        group: Name of the group that stays in one split; "" where it is unknown.
        subject: Pseudonym of the person; None where unknown.
        box: Face box in the full frame that the photo was cut from; None where unknown.
        sha256: Digest of the dataset's file; None where unknown.
        objection: Reason why it must stay, or None.
    """

    path: Path
    label: str
    split: str = ""
    group: str = ""
    subject: str | None = None
    box: FaceBox | None = None
    sha256: str | None = None
    objection: str | None = None


@dataclass(frozen=True)
class ExportSource:
    """A curated set or a dataset, with everything that an export says of it.

    Attributes:
        folder: Absolute path.
        dataset: Absolute path of the dataset; None where it is unknown or missing.
        scheme: The classes.
        photos: The photos, sorted by split and path.
        has_consents: True if the dataset records consents, so that each photo needs one.
        caveat: How little a score on the set says; None for a set split by people.
        not_read: Files beside the photos that are not read, with the reason.
    """

    folder: Path
    dataset: Path | None
    scheme: Scheme
    photos: tuple[SourcePhoto, ...]
    has_consents: bool
    caveat: str | None = None
    not_read: tuple[LeftOut, ...] = ()


def read_source(folder: Path, today: date, *, with_unnamed: bool = False) -> ExportSource:
    """Read a curated set, or a dataset, with the objections to each photo's export.

    Args:
        folder: A folder of train, val and test, or of class folders.
        today: The day on which a consent has to hold.
        with_unnamed: True to export photos in which nobody is named, although the dataset records
            consents, and those of a set whose dataset is missing.

    Raises:
        DatasetError: There are no photos, something is damaged, the dataset of a set is missing, or
            whole folders of pictures would be passed over.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise DatasetError(
            f"No folder at {folder}. Name what `curate` made, or a dataset: `curate export data`."
        )
    is_set = all((folder / split).is_dir() for split in SPLITS[:2])
    source = (_read_set if is_set else _read_dataset)(folder, today, with_unnamed)
    not_read = list_left_out(folder, source.scheme.labels)
    require_all_read(folder, not_read, "exported", source.scheme.labels)
    return replace(source, not_read=not_read)


def _read_set(folder: Path, today: date, with_unnamed: bool) -> ExportSource:
    curated = read_curated(folder, may_lack_test=True)
    root = find_origin(folder).dataset
    if root is None and curated.curation is not None and not with_unnamed:
        raise DatasetError(
            f"{folder}: its dataset {curated.curation.dataset} is missing, so it is not known whom "
            f"its photos show, nor whether they agreed. Put the dataset back, or, if every photo "
            f"may leave, add --with-unnamed."
        )
    known = {} if root is None else {photo.path: photo for photo in list_photos(root)}
    rules = _Rules({} if root is None else read_consents(root), today, with_unnamed)
    photos = tuple(_photos_of_set(curated, known if root else None, rules))
    caveat = curated.curation.caveat if curated.curation else None
    return ExportSource(folder, root, curated.scheme, photos, bool(rules.consents), caveat)


def _photos_of_set(
    curated: CuratedDataset, known: Mapping[str, Photo] | None, rules: "_Rules"
) -> Iterator[SourcePhoto]:
    rows = {row.place: row for row in read_plan(curated.folder) if row.is_kept}
    for split in SPLITS:
        for photo in curated.photos(split):
            row = rows.get(photo.path.relative_to(curated.folder).as_posix())
            made_of = None if known is None or row is None else known.get(row.parent or row.path)
            is_gone = known is not None and made_of is None
            facts = made_of or Photo("", photo.label)
            yield SourcePhoto(
                photo.path,
                photo.label,
                split,
                row.group if row else "",
                facts.subject,
                # A variant is turned and scaled.
                None if row is None or row.parent else facts.box,
                facts.sha256,
                GONE if is_gone else rules.find(facts.subject),
            )


def _read_dataset(folder: Path, today: date, with_unnamed: bool) -> ExportSource:
    photos, rules = list_photos(folder), _Rules(read_consents(folder), today, with_unnamed)
    scheme = read_scheme(folder)
    if not photos:
        raise DatasetError(
            f"{folder}: no photos in {', '.join(map(shown_text, scheme.labels))}. Name what "
            f"`curate` made, or a dataset."
        )
    found = (
        SourcePhoto(
            folder / photo.path,
            photo.label,
            subject=photo.subject,
            box=photo.box,
            sha256=photo.sha256,
            objection=rules.find(photo.subject),
        )
        for photo in photos
    )
    return ExportSource(folder, folder, scheme, tuple(found), bool(rules.consents))


@dataclass(frozen=True)
class _Rules:
    """The consents of a dataset; where it records none, nobody's is asked for."""

    consents: Mapping[str, Consent]
    today: date
    with_unnamed: bool

    def find(self, subject: str | None) -> str | None:
        if not self.consents or (subject is None and self.with_unnamed):
            return None
        if subject is None:
            return UNNAMED
        return find_objection(subject, self.consents, self.today)
