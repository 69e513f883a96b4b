"""What an export says of its photos: the rows of metadata.jsonl and the numbers of its pages."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from curation.export.pictures import ExportPicture
from curation.export.source import ExportSource
from maskage.formats.curated.curated_set import SPLITS

METADATA_FILE = "metadata.jsonl"


@dataclass(frozen=True)
class ExportWishes:
    """Wishes of the user for an export.

    Attributes:
        to: Format, one of `EXPORT_FORMATS`.
        title: Title of the export, for people.
        licence: Licence of the photos as the user names it; None where none was given.
        with_subjects: True if pseudonyms leave with the photos.
    """

    to: str
    title: str
    licence: str | None = None
    with_subjects: bool = False


@dataclass(frozen=True)
class PictureFacts:
    """The facts of one exported picture, as metadata.jsonl has them.

    Attributes:
        file_name: Path in the export.
        label: The class.
        split: "train", "val" or "test"; None where there are no splits.
        group: Group that stays in one split; None where it is unknown.
        width, height: Size, px.
        subject: Pseudonym of the person; None where it is unknown or does not leave.
    """

    file_name: str
    label: str
    split: str | None
    group: str | None
    width: int
    height: int
    subject: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the facts that are known."""
        return {key: value for key, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class ExportFacts:
    """Everything that the files of an export say about its photos.

    Attributes:
        source: What is exported.
        wishes: Wishes of the user.
        pictures: Facts of each picture, in order.
    """

    source: ExportSource
    wishes: ExportWishes
    pictures: Sequence[PictureFacts]

    @cached_property
    def splits(self) -> tuple[str, ...]:
        """The splits that have photos; empty for a dataset, which has none."""
        found = {each.split for each in self.pictures}
        return tuple(split for split in SPLITS if split in found)

    @cached_property
    def counts(self) -> dict[str, dict[str, int]]:
        """Number of photos by split and class; the split of a dataset is "all"."""
        counts = Counter((each.split, each.label) for each in self.pictures)
        labels = self.source.scheme.labels
        return {
            split or "all": {label: counts[split, label] for label in labels}
            for split in (self.splits or (None,))
        }

    @property
    def columns(self) -> list[str]:
        """Names of the facts that any picture has, in order."""
        known = {key for each in self.pictures for key in each.as_dict()}
        return [name for name in PictureFacts.__dataclass_fields__ if name in known]


def facts_of(picture: ExportPicture, name: str, *, with_subjects: bool) -> PictureFacts:
    """Return what an export says of a picture.

    Args:
        picture: The picture.
        name: Its path in the export.
        with_subjects: True to name the person's pseudonym.
    """
    photo = picture.photo
    return PictureFacts(
        name,
        photo.label,
        photo.split or None,
        photo.group or None,
        picture.width,
        picture.height,
        photo.subject if with_subjects else None,
    )


def format_metadata(pictures: Iterable[PictureFacts]) -> str:
    """Return metadata.jsonl, one JSON object a line."""
    return "".join(f"{json.dumps(each.as_dict(), ensure_ascii=False)}\n" for each in pictures)
