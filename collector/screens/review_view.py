"""The widgets of the gallery screen: tiles left, the photo at the cursor with its facts right.

Thumbnails are decoded by threads; the photos of the next screen are decoded ahead.
"""

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from collector.keys import PALETTE, KeyCommand, shorten_keys
from collector.review.gallery import Gallery, GalleryView
from collector.review.photo_details import PhotoDetails, PhotoPicture
from collector.review.photo_list import PhotoSequence
from collector.review.thumbnails import LARGE_KEPT, LARGE_PX, ThumbLoader
from collector.screens.keyed_screen import KeyedScreen
from collector.screens.messages import ThumbsReady
from collector.widgets.class_palette import ClassPalette
from collector.widgets.class_text import fit_cells
from collector.widgets.panels import MUTED, KeyFooter
from collector.widgets.roomy_screen import TooSmall
from collector.widgets.tone_line import ToneLine
from maskage.capture.photographer import Feedback
from maskage.dataset.store import PhotoStore
from maskage.outside_text import shown_text
from maskage.records import Photo

_ANSWER_S = 4.0


class ReviewView(KeyedScreen):
    """Photos in order, a cursor, perhaps a range, and the widgets that show them.

    Args:
        store: The dataset, open.
        commands: The keys.
        recent: The classes used so far, the last one first.
        folder: Folder below the dataset's in which the photos lie.

    Attributes:
        photos: The photos that are shown, in order.
        cursor: Index of the photo that keys work on.
    """

    UNDER_PALETTE = "#facts"
    TITLE_TEXT: ClassVar[str] = "▦ gallery"
    FAMILIES: ClassVar[Sequence[tuple[str, str]]] = (("relabel", "label"), ("step", "move"))
    HINT: ClassVar[str] = "label and go on · e: edit · v: range · o: sort · c s n p i m d: filter"
    WAY_OUT: ClassVar[str] = "q  back"
    photos: PhotoSequence

    def __init__(
        self,
        store: PhotoStore,
        commands: Sequence[KeyCommand],
        recent: Sequence[str] = (),
        folder: str = "",
    ) -> None:
        super().__init__(store.scheme, commands, recent)
        self._store = store
        self.cursor = 0
        self._first = 0
        self._range_from: int | None = None
        self._are_all_chosen = False
        self._is_enlarged = False
        self._thumbs = ThumbLoader(store.root / folder, self._report_thumbs)
        self._larges = ThumbLoader(
            store.root / folder, self._report_thumbs, side_px=LARGE_PX, kept=LARGE_KEPT, workers=1
        )
        self._answered_s = float("-inf")

    def compose(self) -> ComposeResult:
        """Lay the widgets out."""
        yield Static(id="header")
        with Horizontal(id="middle"):
            yield Gallery(self._scheme, id="gallery")
            yield PhotoPicture(id="large")
            with Vertical(id="details"):
                yield PhotoPicture(id="picture")
                yield PhotoDetails(self._scheme, id="facts")
                yield ClassPalette(self._scheme, self._class_keys, id="palette")
        yield ToneLine(id="answer")
        yield KeyFooter(self._commands, self.FAMILIES, id="keys")
        yield TooSmall(self.WAY_OUT, id="too-small")

    @property
    def _gallery(self) -> Gallery:
        return self.query_one("#gallery", Gallery)

    @property
    def current(self) -> Photo | None:
        """The photo at the cursor, or None where nothing is shown."""
        return self.photos[self.cursor] if len(self.photos) else None

    def _report_thumbs(self) -> None:
        self.post_message(ThumbsReady())

    @property
    def _has_range(self) -> bool:
        return self._range_from is not None or self._are_all_chosen

    def _end_range(self) -> None:
        self._range_from, self._are_all_chosen = None, False

    def _chosen_span(self) -> tuple[int, int]:
        if self._are_all_chosen:
            return 0, len(self.photos)
        if self._range_from is None:
            return self.cursor, self.cursor + 1
        low, high = sorted((self._range_from, self.cursor))
        return low, high + 1

    def _chosen(self) -> list[Photo]:
        return self.photos.slice(*self._chosen_span())

    def _show(self) -> None:
        grid, count = self._gallery.grid, len(self.photos)
        self._first = grid.scroll_to(self._first, self.cursor)
        seen = self.photos.slice(self._first, self._first + grid.shown)
        span = self._chosen_span() if self._has_range else (0, 0)
        # The next screen is decoded ahead, then the one before.
        after = self.photos.slice(self._first + grid.shown, self._first + 2 * grid.shown)
        before = self.photos.slice(self._first - grid.shown, self._first)
        self._thumbs.want([photo.path for photo in (*seen, *after, *before)])
        self._gallery.show(GalleryView(seen, self._first, self.cursor, span))
        self._show_header(count, span)
        self._show_current()

    def _show_current(self) -> None:
        current = self.current
        self.query_one("#facts", PhotoDetails).photo = current
        target = self.query_one("#large" if self._is_enlarged else "#picture", PhotoPicture)
        if current is None:
            target.show(None)
            return
        near = self.photos.slice(self.cursor, self.cursor + 3)
        self._larges.want([photo.path for photo in near])
        pixels = self._larges.get(current.path)
        if pixels is None:
            pixels = self._thumbs.get(current.path)
        is_broken = self._larges.is_broken(current.path)
        target.show(pixels, "this file is damaged" if is_broken else "")

    def _show_header(self, count: int, span: tuple[int, int]) -> None:
        place = f"{self.cursor + 1:,} of {count:,}" if count else "none"
        chosen = f" · range of {span[1] - span[0]:,}" if span != (0, 0) else ""
        what, order = self.describe_shown()
        words = shown_text(what)
        # A class may have a long title; the place in the list is seen all the same.
        words = fit_cells(words, min(cell_len(words), max(20, self.size.width // 2)))
        self.query_one("#header", Static).update(
            Content.assemble(
                (f" {self.TITLE_TEXT} ", "bold $background on $primary"),
                (f"  {words}", "bold"),
                (f"   {place} · {order}{chosen}   {shown_text(self._store.root)}", MUTED),
            )
        )

    def describe_shown(self) -> tuple[str, str]:
        """Return which photos are shown, and in which order, in words."""
        raise NotImplementedError

    def _answer(self, answer: Feedback) -> None:
        self._answered_s = time.monotonic()
        self.query_one("#answer", ToneLine).say(answer)

    def _fall_silent(self) -> None:
        if time.monotonic() - self._answered_s > _ANSWER_S:
            self.query_one("#answer", ToneLine).say(Feedback(self._hint))

    @property
    def _hint(self) -> str:
        """The line that is shown while there is nothing to answer."""
        keys = shorten_keys(list(self._class_keys.values()))
        if len(self._class_keys) < len(self._scheme):
            find = next(c.first_key for c in self._commands if c.action == PALETTE)
            keys = f"{keys} {find}".strip()
        return f"{keys}: {self.HINT}"
