"""The events for other programs: one JSON object a frame, or one CSV row a face."""

import csv
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from detector.tracking.pipeline import FrameResult
from detector.tracking.tracker import TrackedFace
from detector.video.sink import make_parent
from maskage.classes.scheme import Scheme
from maskage.context_mixin import ClosingMixin
from maskage.errors import EnvironmentProblemError
from maskage.outside_text import path_to_cell, path_to_text
from maskage.system.files import open_private

_FIXED_COLUMNS = (
    "frame",
    "time_s",
    "file",
    "track",
    "x",
    "y",
    "width",
    "height",
    "label",
    "confidence",
    "unsure",
)


def csv_columns(scheme: Scheme, *, has_sources: bool = False) -> list[str]:
    """Return the columns of the table: eleven of a face, then one for each class in class order.

    Where several cameras are watched (`has_sources`), the camera's name is one more, the first.

    Each is called like its class folder. One that would be called like another column, or that a
    spreadsheet would run as a formula, has "p_" before it: "p_label". Cells in the column `label`
    that a spreadsheet would run have "./" before them.
    """
    columns = [*(["source"] if has_sources else []), *_FIXED_COLUMNS]
    for label in scheme.labels:
        name = label
        while name in columns or (name != label and name in scheme) or path_to_cell(name) != name:
            name = f"p_{name}"
        columns.append(name)
    return columns


def event_of(result: FrameResult) -> dict[str, Any]:
    """Return a frame as a JSON object: frame, time_s, faces; file for pictures.

    Where several cameras are watched, `source` is the name of the frame's camera.

    Of a face, `unsure_reason` is "unfamiliar" (unlike the faces that the model learned),
    "confidence" (under the threshold) or null; `strangeness` is null where it is not measured.
    """
    event: dict[str, Any] = {
        "frame": result.frame.index,
        "time_s": round(result.frame.position_s, 3),
    }
    if result.source is not None:
        event["source"] = path_to_text(result.source)
    if result.frame.file is not None:
        event["file"] = path_to_text(result.frame.file)
    event["faces"] = [_face_event(face) for face in result.faces]
    return event


def _face_event(face: TrackedFace) -> dict[str, Any]:
    return {
        "track": face.track,
        "box": [face.box.x, face.box.y, face.box.width, face.box.height],
        "label": str(face.label),
        "confidence": round(face.confidence, 4),
        "unsure": not face.is_sure,
        "unsure_reason": face.unsure_reason,
        "strangeness": None if face.strangeness is None else round(face.strangeness, 3),
        "probabilities": {
            str(label): round(p, 4)
            for label, p in zip(face.scheme.labels, face.probabilities, strict=True)
        },
    }


class _TextSink(ClosingMixin):
    """A text file, replaced if it exists, or stdout for "-"."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._file: TextIO = sys.stdout
        if not self._is_stdout:
            make_parent(out)
            try:
                self._file = open_private(out)
            except OSError as fault:
                raise EnvironmentProblemError(
                    f"{out}: cannot be written ({fault.strerror}). Choose another place."
                ) from fault

    @property
    def _is_stdout(self) -> bool:
        return str(self.out) == "-"

    def close(self) -> None:
        """Finish the file; stdout is left open."""
        if self._is_stdout:
            self._file.flush()
        else:
            self._file.close()


class EventLog(_TextSink):
    """A file with the `event_of` each frame as one line of JSON; "-" is stdout.

    Raises:
        EnvironmentProblemError: The file cannot be opened.
    """

    def write(self, result: FrameResult) -> None:
        """Append one frame; its line is flushed at once, so that a reader can follow."""
        self._write_line(event_of(result))

    def write_unread(
        self, error: str, file: str | None, frame: int | None, time_s: float | None
    ) -> None:
        """Append a file or a part of a video that could not be read: no faces, and an `error`."""
        line: dict[str, Any] = {"frame": frame, "time_s": time_s}
        if file is not None:
            line["file"] = path_to_text(file)
        self._write_line({**line, "faces": [], "error": error})

    def _write_line(self, event: dict[str, Any]) -> None:
        self._file.write(json.dumps(event) + "\n")
        self._file.flush()


class EventTable(_TextSink):
    """A CSV file of one row a face, with the columns `csv_columns`; "-" is stdout.

    Args:
        out: Place of the file.
        scheme: The classes.
        has_sources: Several cameras are watched.

    Raises:
        EnvironmentProblemError: The file cannot be opened.
    """

    def __init__(self, out: Path, scheme: Scheme, *, has_sources: bool = False) -> None:
        super().__init__(out)
        self._has_sources = has_sources
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(csv_columns(scheme, has_sources=has_sources))

    def write(self, result: FrameResult) -> None:
        """Append the faces of one frame."""
        frame = result.frame
        for face in result.faces:
            box = face.box
            self._writer.writerow(
                [
                    *([path_to_cell(result.source or "")] if self._has_sources else []),
                    frame.index,
                    f"{frame.position_s:.3f}",
                    path_to_cell(frame.file or ""),
                    face.track,
                    *(box.x, box.y, box.width, box.height),
                    path_to_cell(face.label),
                    f"{face.confidence:.4f}",
                    int(not face.is_sure),
                    *(f"{p:.4f}" for p in face.probabilities),
                ]
            )


def open_event_files(
    json_out: Path | None,
    csv_out: Path | None,
    scheme: Scheme,
    held: ExitStack,
    *,
    has_sources: bool = False,
) -> list[Callable[[FrameResult], None]]:
    """Open the event files that were asked for, and return what writes a frame into each.

    Args:
        json_out: Place of the `EventLog`, or None.
        csv_out: Place of the `EventTable`, or None.
        scheme: The classes.
        held: Closes them.
        has_sources: Several cameras are watched.

    Raises:
        EnvironmentProblemError: A file cannot be opened.
    """
    writers: list[Callable[[FrameResult], None]] = []
    if json_out is not None:
        writers.append(held.enter_context(EventLog(json_out)).write)
    if csv_out is not None:
        writers.append(
            held.enter_context(EventTable(csv_out, scheme, has_sources=has_sources)).write
        )
    return writers
