"""The outcome of an import: what became of every file of the source."""

from dataclasses import dataclass, field

from maskage.cameras.video.video_file import VideoDamage
from maskage.pictures.picture_files import LeftOut


@dataclass
class ImportReport:
    """The outcome of an import: every picture of the source is counted once.

    Attributes:
        saved: Number of new photos in each class.
        duplicates: Number of pictures whose content the dataset has, or had before a removal.
        conflicts: A message for each duplicate that has another label in the dataset.
        facts_left: Number of duplicates whose metadata was not taken.
        faceless: Number of pictures or frames in which no face was found.
        faceless_names: Names of these, below the source.
        several_faces: Number of faces in each picture or frame of which only the largest was taken.
        small_faces: Number of faces in each picture or frame that are too small to be taken.
        unreadable: A message for each picture that could not be read.
        damage: The parts of a video that could not be read.
        left_out: Files that were not used, each with the reason.
    """

    saved: dict[str, int]
    duplicates: int = 0
    conflicts: list[str] = field(default_factory=list)
    facts_left: int = 0
    faceless: int = 0
    faceless_names: list[str] = field(default_factory=list)
    several_faces: dict[str, int] = field(default_factory=dict)
    small_faces: dict[str, int] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    damage: VideoDamage = field(default_factory=VideoDamage)
    left_out: list[LeftOut] = field(default_factory=list)

    def leave_out(self, name: str, reason: str) -> None:
        """Count a file that is not used.

        Args:
            name: Its path below the source, POSIX.
            reason: The same words for all files of one kind.
        """
        self.left_out.append(LeftOut(name, reason))
