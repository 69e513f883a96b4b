"""The records of annotations: what a file says, and the boxes that come out of it."""

from dataclasses import dataclass

from maskage.pictures.picture_files import LeftOut
from maskage.records import FaceBox


@dataclass(frozen=True)
class AnnotatedBox:
    """A box that was drawn around a face.

    Attributes:
        image: Path of the picture below the folder that was read, POSIX.
        label: Name of its class, as the file has it.
        box: The face, in pixels of the whole, upright picture; None where the class is that of the
            whole picture.
    """

    image: str
    label: str
    box: FaceBox | None


@dataclass(frozen=True)
class Annotations:
    """The annotations of a folder.

    Attributes:
        kind: Format of the files, for people: "Pascal VOC".
        boxes: All boxes that can be used, sorted by picture; within one as they are in the file.
        problems: Boxes, pictures and files that cannot be used, each with the reason; a picture in
            which no box was drawn is one of them.
        used: Paths of the annotation files below the folder, POSIX, but of those that are problems.
    """

    kind: str
    boxes: tuple[AnnotatedBox, ...]
    problems: tuple[LeftOut, ...]
    used: frozenset[str]


@dataclass(frozen=True)
class DrawnBox:
    """A box as a file states it, unchecked.

    Attributes:
        label: Name of its class; empty where there is none.
        left, top, right, bottom: Edges, in px or as shares of the picture; maybe not finite.
        is_share: True where the edges are shares of the upright picture, 0 to 1.
    """

    label: str
    left: float
    top: float
    right: float
    bottom: float
    is_share: bool = False


@dataclass(frozen=True)
class DrawnPicture:
    """The annotations of one picture as a file states them.

    Attributes:
        file: Path of the annotation file, POSIX.
        names: Names that the picture may have, the most trusted first.
        boxes: The boxes.
        whole: Classes of the whole picture.
        size: Width and height of the picture on which the boxes were drawn, px; None where the
            file does not say.
        faults: Reasons why other objects of the picture are no boxes.
        is_alone: True where no other file of this format should describe the same picture.
    """

    file: str
    names: tuple[str, ...]
    boxes: tuple[DrawnBox, ...] = ()
    whole: tuple[str, ...] = ()
    size: tuple[int, int] | None = None
    faults: tuple[str, ...] = ()
    is_alone: bool = False


@dataclass(frozen=True)
class Drawings:
    """All annotations of one format in a folder.

    Attributes:
        kind: Format, for people.
        pictures: The annotations of each picture.
        problems: Files that cannot be used.
        used: Paths of the annotation files.
    """

    kind: str
    pictures: tuple[DrawnPicture, ...]
    problems: tuple[LeftOut, ...] = ()
    used: frozenset[str] = frozenset()
