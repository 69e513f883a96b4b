"""The cameras that can be chosen: those that a user named, and webcams that are found."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from maskage.addresses import public_url
from maskage.cameras.sources import STREAM_SCHEMES, Camera, find_webcams
from maskage.outside_text import shown_text


class CameraChoice:
    """The sources a user named, and the webcams that are found beside them.

    Args:
        given: The sources as after `--source`; the first one is shown first.
        opener: Opens a source.
        finds_webcams: True to look, in a thread, for webcams that nobody named. That takes a
            second, and the first picture does not wait for it.

    Attributes:
        index: Position of the source that is shown.
    """

    def __init__(
        self,
        given: Sequence[str],
        opener: Callable[[str], Camera],
        *,
        finds_webcams: bool = False,
    ) -> None:
        self.index = 0
        self._opener = opener
        self._given = len(given)
        self._sources = list(zip(given, name_sources(given), strict=True))
        if finds_webcams:
            threading.Thread(target=self._find, name="webcam-search", daemon=True).start()

    @property
    def names(self) -> tuple[str, ...]:
        """Names for people: without passwords, and without the folders that a file lies in."""
        return tuple(name for _, name in self._sources)

    @property
    def is_alone(self) -> bool:
        """True where the user named but one source."""
        return self._given == 1

    @property
    def source(self) -> str:
        """The source that is shown, as after `--source`."""
        return self._sources[self.index][0]

    def open(self) -> Camera:
        """Open the source that is shown.

        Raises:
            CameraError: It does not open.
        """
        return self._opener(self.source)

    def use(self, index: int) -> bool:
        """Show another source; return False where it is shown already, or there is none."""
        if not 0 <= index < len(self._sources) or index == self.index:
            return False
        self.index = index
        return True

    def use_next(self) -> bool:
        """Show the next source, the first after the last; return False where there is but one."""
        return self.use((self.index + 1) % len(self._sources))

    def _find(self) -> None:
        named = [int(source) for source, _ in self._sources if source.isdecimal()]
        for webcam in find_webcams(leave_out=named):
            name = webcam.name or f"webcam {webcam.index}"
            self._sources.append((str(webcam.index), name))


def name_sources(sources: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each source, for people, each another: "clip.mp4", "clip.mp4 (2)"."""
    names: list[str] = []
    for source in sources:
        name, number = _name(source), 1
        while (numbered := name if number == 1 else f"{name} ({number})") in names:
            number += 1
        names.append(numbered)
    return tuple(names)


def can_come_later(source: str) -> bool:
    """Return True for a webcam or an address, which may answer later; a file is there or not."""
    return source.isdecimal() or source.lower().startswith(STREAM_SCHEMES)


def public_source(source: str) -> str:
    """Return a source as it may be shown: an address without its password, else as given."""
    return public_url(source) if source.lower().startswith(STREAM_SCHEMES) else source


def _name(source: str) -> str:
    if source.isdecimal():
        return f"webcam {source}"
    if source.lower().startswith(STREAM_SCHEMES):
        return public_source(source)
    # Whoever watches from a browser need not know where it lies.
    return shown_text(Path(source).name or source)
