"""The live view without a picture: one line for each new face and each change of its label."""

from collections.abc import Sequence

from detector.drawing.tags import describe_face
from detector.screens.base import LiveView, Screen
from detector.screens.commands import Command
from detector.tracking.pipeline import FrameResult
from detector.tracking.tracker import TrackedFace
from maskage.console import say

_REMEMBERED = 50


class HeadlessScreen(Screen):
    """Lines on stderr; pictures of a folder follow each other at once."""

    picture_s: float = 0.0

    def __init__(self) -> None:
        self._results: dict[int, FrameResult] = {}
        self._problem: str | None = None
        self._labels: dict[int, dict[int, str | None]] = {}

    def show(self, view: LiveView) -> None:
        """Print a line for each face that is new, or has another label than before."""
        # Of several cameras `keep` gets every one, shown or not.
        if len(view.cameras) <= 1:
            self._print_changes(view)

    def keep(self, view: LiveView) -> None:
        """Print the same for one of several cameras, with its name."""
        self._print_changes(view)

    def _print_changes(self, view: LiveView) -> None:
        result = view.result
        if result is self._results.get(result.camera):
            return
        self._results[result.camera] = result
        known = self._labels.get(result.camera, {})
        source = f"{result.source}  " if result.source is not None else ""
        for face in result.faces:
            label = _shown_label(face)
            if face.track not in known or known[face.track] != label:
                say(f"{result.frame.position_s:8.2f} s  {source}{describe_face(face)}")
        present = {face.track: _shown_label(face) for face in result.faces}
        # Tracks never come back once forgotten; the last ones may still be remembered.
        self._labels[result.camera] = {**dict(list(known.items())[-_REMEMBERED:]), **present}

    def report(self, news: Sequence[str], problem: str | None) -> None:
        """Print the news, and one line when the source is lost and when it is back."""
        if problem != self._problem:
            say(problem or "The picture is back.")
            self._problem = problem
        for message in news:
            say(message)

    def read_commands(self) -> list[Command]:
        """Return nothing: there are no keys."""
        return []

    def close(self) -> None:
        """Do nothing: nothing is held open."""


def _shown_label(face: TrackedFace) -> str | None:
    """Return the label that is printed; None for an unsure face."""
    return face.label if face.is_sure else None
