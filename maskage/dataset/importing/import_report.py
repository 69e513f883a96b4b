"""The outcome of an import: what became of every file of the source."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from maskage.cameras.video.video_file import VideoDamage
from maskage.errors import PhotoNotSavedError
from maskage.formats.metadata_file import PhotoMetadata
from maskage.pictures.picture_files import LeftOut

IN_CONFLICT = "the same picture under several labels; keep it in its right class only"
NAME_REFUSED = "the disk of the dataset refuses its name"
IN_TRASH = "removed by you: it lies in the trash; --again brings it back"
NO_FACE = "no face found"
UNREADABLE = "unreadable"


@dataclass
class ImportReport:
    """The outcome of an import: every picture of the source is counted once.

    Attributes:
        saved: Number of new photos in each class.
        duplicates: Number of pictures whose content the dataset has.
        known: Names of the pictures among them.
        conflicts: A message for each duplicate that has another label in the dataset.
        contradicted: The messages among them of pictures whose photo never had the label that the
            source gives: nobody has decided which of the two is right.
        label_conflicts: A message for each picture that lies under several labels in the source;
            none of its copies is saved.
        brought_back: Number of photos among the saved that the dataset had lost, or that came out
            of its trash.
        removed: Names of the pictures whose photos lie in the trash.
        restated: Of each duplicate with metadata, the digest of its source and the metadata.
        faceless: Number of pictures or frames in which no face was found.
        faceless_names: Names of these, below the source.
        several_faces: Number of faces in each picture or frame of which only the largest was taken.
        small_faces: Number of faces in each picture or frame that are too small to be taken.
        unreadable: A message for each picture that could not be read.
        first_of_several: Names of the saved files that hold several pictures: pages, or frames of
            an animation. Only the first became a photo.
        crops_known: Names of the known pictures of which the dataset has a face, cut out, where
            whole pictures were wanted.
        unsaved: A message for each picture whose photo the disk refused.
        damage: The parts of a video that could not be read.
        left_out: Files that were not used, each with the reason; also the unreadable ones, those
            in the trash and those of the source's conflicts.
        origins: Number of saved photos from each split of the source.
        subjects: Subjects of the saved photos that are named after folders.
    """

    saved: dict[str, int]
    duplicates: int = 0
    known: list[str] = field(default_factory=list)
    conflicts: list[str] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)
    label_conflicts: list[str] = field(default_factory=list)
    brought_back: int = 0
    removed: list[str] = field(default_factory=list)
    restated: list[tuple[str, PhotoMetadata]] = field(default_factory=list)
    faceless: int = 0
    faceless_names: list[str] = field(default_factory=list)
    several_faces: dict[str, int] = field(default_factory=dict)
    small_faces: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    first_of_several: list[str] = field(default_factory=list)
    crops_known: list[str] = field(default_factory=list)
    unsaved: list[str] = field(default_factory=list)
    damage: VideoDamage = field(default_factory=VideoDamage)
    left_out: list[LeftOut] = field(default_factory=list)
    origins: Counter[str] = field(default_factory=Counter)
    subjects: set[str] = field(default_factory=set)

    @property
    def photos(self) -> int:
        """Number of photos that were saved."""
        return sum(self.saved.values())

    @contextmanager
    def counting_at_a_stop(self) -> Iterator[None]:
        """Say how many photos were saved where the disk ends the import.

        Raises:
            PhotoNotSavedError: The disk refused, with the count.
        """
        try:
            yield
        except PhotoNotSavedError as fault:
            saved = "1 photo was" if self.photos == 1 else f"{self.photos:,} photos were"
            raise type(fault)(
                f"{fault} {saved} saved before that; the same command goes on from there."
            ) from fault

    def leave_out(self, name: str, reason: str) -> None:
        """Count a file that is not used.

        Args:
            name: Its path below the source, POSIX.
            reason: The same words for all files of one kind.
        """
        self.left_out.append(LeftOut(name, reason))

    def as_json(self, left_out: Iterable[LeftOut] = ()) -> dict[str, Any]:
        """Return the report as an object for other programs.

        Args:
            left_out: What was left out before the import began.
        """
        everything = sorted([*left_out, *self.left_out], key=lambda each: each.path)
        return {
            "saved": self.saved,
            "photos": self.photos,
            "brought_back": self.brought_back,
            "duplicates": self.duplicates,
            "known": sorted(self.known),
            "removed": sorted(self.removed),
            "conflicts": self.label_conflicts,
            "conflicts_with_dataset": self.conflicts,
            "contradicted": self.contradicted,
            "restated": len(self.restated),
            "faceless": self.faceless,
            "faceless_names": self.faceless_names,
            "several_faces": self.several_faces,
            "small_faces": self.small_faces,
            "unreadable": self.unreadable,
            "unsaved": self.unsaved,
            "first_of_several": sorted(self.first_of_several),
            "crops_known": sorted(self.crops_known),
            "video_faults": list(self.damage.faults),
            "origins": dict(sorted(self.origins.items())),
            "subjects": sorted(self.subjects),
            "left_out": [
                {"path": each.path, "reason": each.reason, "pictures": each.pictures}
                for each in everything
            ],
        }
