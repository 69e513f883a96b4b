"""The summary of `detector run`, and the conditions it is held against."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from detector.picture_tree import Unread, is_input
from detector.tracking.pipeline import FrameResult
from maskage.cameras.video.video_file import VideoDamage
from maskage.classes.scheme import MASK, MISWORN, WORN, Scheme
from maskage.errors import GateFailedError
from maskage.outside_text import shown_text
from maskage.pictures.picture_files import LeftOut

if TYPE_CHECKING:
    from detector.events.alarms import AlarmSummary


@dataclass
class FaceCounts:
    """The counts of labelled frames and their faces.

    Attributes:
        scheme: The classes of the model.
        frames: Labelled frames.
        faceless: Frames without a face.
        faces: How often each label was given, over all frames.
        unsure: How many of those were unsure.
        unfamiliar: How many of the unsure ones are unlike the faces that were learned.
    """

    scheme: Scheme
    frames: int = 0
    faceless: int = 0
    faces: Counter[str] = field(default_factory=Counter)
    unsure: int = 0
    unfamiliar: int = 0

    def add(self, result: FrameResult) -> None:
        """Count one frame."""
        self.frames += 1
        self.faceless += not result.faces
        self.faces.update(face.label for face in result.faces)
        self.unsure += sum(not face.is_sure for face in result.faces)
        self.unfamiliar += sum(not face.is_familiar for face in result.faces)


@dataclass(frozen=True)
class LabellingSummary:
    """The outcome of a run; prints itself.

    Attributes:
        counts: Frames and faces.
        tracks: Number of faces that were followed.
        unread: Pictures that could not be read.
        left_out: Files and folders in the source that are not read.
        damage: Parts of a video that could not be shown.
        alarms: The counts of alarms; None if none were asked for.
    """

    counts: FaceCounts
    tracks: int
    unread: tuple[Unread, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    damage: VideoDamage = field(default_factory=VideoDamage)
    alarms: "AlarmSummary | None" = None

    @property
    def mask_share(self) -> float | None:
        """Share of the faces that wear a mask, 0 to 1; None without faces or such classes."""
        return self._share(WORN)

    def _share(self, value: str) -> float | None:
        """Return the share of the faces whose classes have this value of the mask factor."""
        counts = self.counts
        labels, total = counts.scheme.labels_with(MASK, value), counts.faces.total()
        if not labels or not total:
            return None
        return sum(counts.faces[label] for label in labels) / total

    def __str__(self) -> str:
        counts = self.counts
        faces = counts.faces.total()
        lines = [
            f"{counts.frames:>7} {noun(counts.frames, 'frame')}, {counts.faceless} without a face",
            f"{faces:>7} {noun(faces, 'face')} on {self.tracks} {noun(self.tracks, 'track')}, "
            f"{counts.unsure} unsure{_unfamiliar(counts)}",
            *(f"{counts.faces[each]:>11} {shown_text(each)}" for each in counts.scheme.labels),
        ]
        if self.mask_share is not None:
            lines.append(f"{self.mask_share:>7.1%} wear a mask")
        if (misworn := self._share(MISWORN)) is not None:
            lines.append(f"{misworn:>7.1%} wear one wrongly")
        if self.unread:
            count = len(self.unread)
            total = counts.frames + count
            lines.append(f"{count:>7} of {total} {noun(total, 'picture')} could not be read")
        if self.left_out:
            count = len(self.left_out)
            what = "file or folder" if count == 1 else "files and folders"
            lines.append(f"{count:>7} {what} left out{_of_them_inputs(self.left_out)}")
        lines += [f"        {fault}" for fault in self.damage.faults]
        return "\n".join(lines)


def _of_them_inputs(left_out: tuple[LeftOut, ...]) -> str:
    """Return how many of them nobody saw, though they were to be labelled; empty for none."""
    count = sum(map(is_input, left_out))
    return f", {count} of them of a kind that is not read" if count else ""


def _unfamiliar(counts: FaceCounts) -> str:
    """Return how many of the unsure faces are unfamiliar; empty where none is."""
    if not counts.unfamiliar:
        return ""
    return f" ({counts.unfamiliar} unlike the faces that the model learned)"


def check_gates(summary: LabellingSummary, fail_under: float | None, *, is_strict: bool) -> None:
    """Hold a run against `--strict` and `--fail-under`.

    Args:
        summary: The outcome of the run.
        fail_under: Least share of the faces, 0 to 1, that must wear a mask; None for no check.
        is_strict: Every photo, video and frame of the source must have been read.

    Raises:
        GateFailedError: A part could not be read, too few wear a mask, or no face was seen.
    """
    if is_strict and (faults := _list_unread(summary)):
        raise GateFailedError(f"--strict: not all of it could be read ({'; '.join(faults)}).")
    if fail_under is None:
        return
    if summary.damage.is_incomplete:
        raise GateFailedError(
            f"--fail-under {fail_under:g}: a part of the video is missing "
            f"({'; '.join(summary.damage.faults)}), and nobody knows who is in it. Copy it again."
        )
    if summary.mask_share is None:
        raise GateFailedError(
            f"--fail-under {fail_under:g}: no face was seen in {summary.counts.frames} frames, so "
            f"nothing can be said. Check the source and the face model."
        )
    if summary.mask_share < fail_under:
        raise GateFailedError(
            f"--fail-under {fail_under:g}: {summary.mask_share:.1%} of the faces wear a mask, "
            f"at least {fail_under:.1%} was asked for."
        )


def _list_unread(summary: LabellingSummary) -> list[str]:
    """Return what could not be read, in a few words: the first of a kind and how many more."""
    pictures = [each.reason for each in summary.unread]
    others = [f"{each.path}: {each.reason}" for each in summary.left_out if is_input(each)]
    counted = [
        kind[0] + (f" and {len(kind) - 1} more" if len(kind) > 1 else "")
        for kind in (pictures, others)
        if kind
    ]
    return counted + summary.damage.faults


def scheme_has_masks(scheme: Scheme) -> bool:
    """Return True if a class is that of faces with a mask over nose and mouth."""
    return bool(scheme.labels_with(MASK, WORN))


def noun(number: int, thing: str) -> str:
    """Return a noun in the number that goes with `number`."""
    return thing if number == 1 else f"{thing}s"
