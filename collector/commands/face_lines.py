"""`collector import`: which faces of pictures and frames were taken, and which were not."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from maskage.console import say, show
from maskage.errors import DatasetError, UsageError

if TYPE_CHECKING:
    from maskage.dataset.importing.face_crops import FaceCutter
    from maskage.dataset.importing.import_report import ImportReport

FACE_CHOICES = ("largest", "all")
"""As `maskage.dataset.importing.face_crops.FACE_CHOICES`, which `--help` need not load."""

_FRAME = re.compile(r"#\d+$")
"""The end of a frame's name: its number in the video."""
_MOST_NAMES = 3
"""Names in one line; each picture without a face has a line of its own, up to 20."""
_MOST_LINES = 20
_SMALLEST_PX = 40
"""As `open_face_finder` asks for."""


def check_face_choice(arguments: argparse.Namespace, *, cuts_faces: bool) -> None:
    """Refuse a choice of faces that has no effect, or that contradicts another option.

    Raises:
        UsageError: `--faces` without `--find-faces`, or all faces of one named person.
    """
    if arguments.faces is not None and not cuts_faces:
        raise UsageError("--faces says which faces are cut out. Add --find-faces.")
    if arguments.faces == "all" and arguments.subject:
        raise UsageError(
            "--faces all takes the faces of several people, and --subject names one of them. Leave "
            "one of the two out."
        )


def open_face_cutter(arguments: argparse.Namespace) -> "FaceCutter":
    """Open the face finder that cuts out the faces that `--faces` asks for; print its notice.

    Raises:
        EnvironmentProblemError: The user named a face model that is not there or cannot be run.
    """
    from maskage.dataset.importing.face_crops import FaceCutter
    from maskage.faces.finder import open_face_finder

    finder = open_face_finder(arguments.face_model)
    if finder.notice:
        say(finder.notice)
    return FaceCutter(finder, takes_all=arguments.faces == "all")


def show_faces(report: "ImportReport") -> None:
    """Print how many faces were seen and not taken, with the names of their pictures."""
    from maskage.faces.finder import SMALLEST_IN_PICTURE_PX

    if report.faceless:
        show(f"{report.faceless:>6} skipped: no face found")
        for name in report.faceless_names[:_MOST_LINES]:
            say(f"  {name}: no face found")
        if (more := len(report.faceless_names) - _MOST_LINES) > 0:
            say(f"  and {more} more without a face")
    if several := report.several_faces:
        show(f"       {_describe_several(several)}")
    if small := report.small_faces:
        count = sum(small.values())
        show(f"{count:>6} faces skipped: under {SMALLEST_IN_PICTURE_PX} px wide: {_some(small)}")


def require_some_faces(report: "ImportReport", source: Path, data: Path) -> None:
    """Refuse to call an import done in which no picture or frame shows a face.

    Raises:
        DatasetError: Nothing is saved or known, for want of faces.
    """
    from maskage.pictures.picture_kinds import is_picture_file

    if not report.faceless or any(report.saved.values()) or report.duplicates:
        return
    what = f"{source}: no face was found in it, and nothing was saved in {data}. Faces must be"
    seen = f"{what} upright and about {_SMALLEST_PX} px wide or more."
    if source.is_dir() or is_picture_file(source):
        raise DatasetError(
            f"{seen} Where the pictures are faces already, cut close, import them without "
            f"--find-faces."
        )
    raise DatasetError(f"{seen} Take more of its frames with a smaller --every, or another video.")


def _describe_several(several: "dict[str, int]") -> str:
    """Return which pictures show several faces: "1 picture shows 21 faces, ...: team.jpg."."""
    from maskage.faces.finder import SMALLEST_IN_PICTURE_PX

    what = "frame" if all(map(_FRAME.search, several)) else "picture"
    if len(several) == 1:
        (name, count), *_ = several.items()
        seen = f"1 {what} shows {count} faces, the largest was taken: {name}"
    else:
        seen = (
            f"{len(several)} {what}s show {sum(several.values())} faces, the largest of each was "
            f"taken: {_some(several)}"
        )
    return f"{seen}; `--faces all` takes each of {SMALLEST_IN_PICTURE_PX} px or more"


def _some(counts: "dict[str, int]") -> str:
    """Return the first names with their numbers: "a.jpg (3), b.jpg (2), ..."."""
    named = [f"{name} ({count})" for name, count in list(counts.items())[:_MOST_NAMES]]
    return ", ".join(named) + (", ..." if len(counts) > _MOST_NAMES else "")
