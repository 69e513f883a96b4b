"""The screen that looks photos through: tiles left, the photo at the cursor right.

Nothing here waits: thumbnails are decoded by threads, and edits are ordered from the writer's
thread; what is on the screen follows when they are on the disk.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static
from textual.worker import get_current_worker

from collector.capture.edit_messages import DISK_TOO_SLOW, describe_edits
from collector.capture.photographer import Feedback, Tone
from collector.capture.writer import How, NotDone, PhotoWriter, Report
from collector.keys import REVIEW_COMMANDS, KeyCommand
from collector.review.gallery import Gallery, GalleryView
from collector.review.photo_details import PhotoDetails, PhotoPicture
from collector.review.photo_list import ReviewFilter, ReviewList, ReviewOrder, rank_look_alikes
from collector.review.thumbnails import LARGE_KEPT, LARGE_PX, ThumbLoader
from collector.screens.messages import ThumbsReady, WriterReported
from collector.widgets.dialogs import ChoiceDialog, HelpPage
from collector.widgets.panels import MUTED, KeyFooter
from collector.widgets.roomy_screen import RoomyScreen, TooSmall
from collector.widgets.tone_line import ToneLine
from maskage.dataset.edits import Edit, flagging, trashing
from maskage.dataset.store import PhotoStore
from maskage.outside_text import shown_text
from maskage.records import LABELS, Label, Photo

_ANSWER_S = 4.0
_TALL_ROWS = 34


class ReviewScreen(RoomyScreen[None]):
    """See the module.

    Args:
        store: Open.
        writer: Of the same store; its history is shared with the capture screen.
        commands: The keys.

    Attributes:
        photos: What is shown, in order.
        cursor: Index of the photo that keys work on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(c.keys, c.action, c.short or c.text, id=c.name, show=False, priority=False)
        for c in REVIEW_COMMANDS
    ]

    def __init__(
        self,
        store: PhotoStore,
        writer: PhotoWriter,
        commands: tuple[KeyCommand, ...] = REVIEW_COMMANDS,
    ) -> None:
        super().__init__()
        self._store = store
        self._writer = writer
        self._commands = commands
        self._filter = ReviewFilter()
        self._order = ReviewOrder.NEWEST
        self.photos = ReviewList([], self._filter, self._order)
        self.cursor = 0
        self._first = 0
        self._range_from: int | None = None
        self._is_enlarged = False
        self._thumbs = ThumbLoader(store.root, self._tell_thumbs)
        self._larges = ThumbLoader(
            store.root, self._tell_thumbs, side_px=LARGE_PX, kept=LARGE_KEPT, workers=1
        )
        self._heard = 0
        self._alike: dict[str, float] | None = None
        self._answered_s = float("-inf")

    # What is on the screen

    def compose(self) -> ComposeResult:
        yield Static(id="header")
        with Horizontal(id="middle"):
            yield Gallery(id="gallery")
            yield PhotoPicture(id="large")
            with Vertical(id="details"):
                yield PhotoPicture(id="picture")
                yield PhotoDetails(id="facts")
        yield ToneLine(id="answer")
        yield KeyFooter(self._commands, [("relabel", "label"), ("step", "move")], id="keys")
        yield TooSmall("q  back", id="too-small")

    def on_mount(self) -> None:
        self._gallery.thumbs = self._thumbs
        if self.app.size.height < _TALL_ROWS:
            self._gallery.zoom(-1)
        self._writer.add_listener(self._tell_report)
        self.set_interval(0.5, self._fall_silent)
        self._choose(self._filter, self._order)

    def on_unmount(self) -> None:
        self._writer.remove_listener(self._tell_report)
        self._thumbs.close()
        self._larges.close()

    @property
    def _gallery(self) -> Gallery:
        return self.query_one("#gallery", Gallery)

    @property
    def current(self) -> Photo | None:
        """The photo at the cursor, or None where nothing is shown."""
        return self.photos[self.cursor] if len(self.photos) else None

    # Messages

    def _tell_thumbs(self) -> None:
        self.post_message(ThumbsReady())

    def _tell_report(self, report: Report) -> None:
        self.post_message(WriterReported(report))

    @on(ThumbsReady)
    def _draw_thumbs(self) -> None:
        self._thumbs.notice()
        self._larges.notice()
        self._gallery.redraw()
        self._show_current()

    @on(Gallery.Resized)
    def _lay_out_anew(self) -> None:
        self._show()

    @on(WriterReported)
    def _hear(self, message: WriterReported) -> None:
        report = message.report
        if isinstance(report, NotDone):
            self._answer(Feedback(report.message, Tone.BAD))
            return
        self._heard += 1
        for edit in report.edits:
            if edit.before is not None and edit.after is not None:
                self._thumbs.rename(edit.before.path, edit.after.path)
                self._larges.rename(edit.before.path, edit.after.path)
        self.cursor = self.photos.follow(report.edits, self.cursor)
        if report.how is not How.DONE:
            self._go_to(report.edits)
        self._answer(describe_edits(report))
        self._show()

    def _go_to(self, edits: Sequence[Edit]) -> None:
        """Put the cursor on what came back."""
        for edit in edits:
            if edit.after is not None and (at := self.photos.find(edit.after.path)) is not None:
                self.cursor = at
                return

    # Keys that change photos

    def action_relabel(self, label: str) -> None:
        self._edit_chosen(lambda photo: self._relabel(photo, Label(label)))

    def action_accept(self) -> None:
        chosen = self._chosen()
        if not any(photo.suggestion for photo in chosen):
            self._answer(Feedback("no suggestion here: `detector suggest` makes them", Tone.CARE))
            return
        self._edit_chosen(
            lambda photo: self._relabel(photo, photo.suggestion.label) if photo.suggestion else None
        )

    def action_trash(self) -> None:
        self._edit_chosen(trashing)

    def action_flag(self) -> None:
        chosen = self._chosen()
        # A range is flagged as one: set where any lacks it.
        is_flagged = not all(photo.is_flagged for photo in chosen)
        self._edit_chosen(
            lambda p: flagging(p, is_flagged=is_flagged) if p.is_flagged != is_flagged else None,
            advance=False,
        )

    def action_undo(self) -> None:
        if not self._writer.undo():
            self._answer(DISK_TOO_SLOW)

    def action_redo(self) -> None:
        if not self._writer.redo():
            self._answer(DISK_TOO_SLOW)

    def _relabel(self, photo: Photo, label: Label) -> Edit | None:
        return self._store.relabelling(photo, label) if photo.label is not label else None

    def _edit_chosen(
        self, edit_one: Callable[[Photo], Edit | None], *, advance: bool = True
    ) -> None:
        """Order one edit of each chosen photo, and go on to the next without waiting for it."""
        chosen = self._chosen()
        if not chosen:
            return

        def plan() -> list[Edit]:
            # In the writer's thread: orders before this one may have moved a photo.
            latest = [self._store.latest(photo) for photo in chosen]
            edits = [edit_one(photo) for photo in latest if photo is not None]
            return [edit for edit in edits if edit is not None]

        if not self._writer.edit(plan):
            self._answer(DISK_TOO_SLOW)
            return
        end = self._chosen_span()[1]
        self._range_from = None
        if advance:
            self.cursor = min(end, max(0, len(self.photos) - 1))
        self._show()

    def _chosen_span(self) -> tuple[int, int]:
        if self._range_from is None:
            return self.cursor, self.cursor + 1
        low, high = sorted((self._range_from, self.cursor))
        return low, high + 1

    def _chosen(self) -> list[Photo]:
        return self.photos.slice(*self._chosen_span())

    # Keys that move

    def action_step(self, columns: int, rows: int) -> None:
        grid = self._gallery.grid
        if self._is_enlarged:
            columns, rows = columns + rows, 0
        self._move(grid.step(self.cursor, len(self.photos), columns, rows))

    def action_page(self, direction: int) -> None:
        grid = self._gallery.grid
        self._move(grid.step(self.cursor, len(self.photos), rows=direction * grid.down))

    def action_end(self, direction: int) -> None:
        self._move(0 if direction < 0 else max(0, len(self.photos) - 1))

    def action_range(self) -> None:
        self._range_from = self.cursor if self._range_from is None else None
        words = (
            "range begun: move, then press a key" if self._range_from is not None else "no range"
        )
        self._answer(Feedback(words))
        self._show()

    def action_enlarge(self) -> None:
        self._is_enlarged = not self._is_enlarged
        self.set_class(self._is_enlarged, "-enlarged")
        self._show()

    def action_zoom(self, steps: int) -> None:
        self._gallery.zoom(steps)
        self._show()

    def action_back(self) -> None:
        if self._is_enlarged:
            self.action_enlarge()
        elif self._range_from is not None:
            self.action_range()
        elif self.is_current:
            self.dismiss()

    def action_help(self) -> None:
        self.app.push_screen(
            HelpPage(self._commands, "Every step can be undone; the trash keeps what is removed.")
        )

    def _move(self, cursor: int) -> None:
        self.cursor = cursor
        self._show()

    # Keys that choose what is shown

    def action_only_class(self) -> None:
        ring = [None, *LABELS]
        label = ring[(ring.index(self._filter.label) + 1) % len(ring)]
        self._choose(replace(self._filter, label=label), self._order)

    def action_only_subject(self) -> None:
        self._ask("Whose photos?", "everybody", "subject")

    def action_only_session(self) -> None:
        self._ask("Which sitting?", "every sitting", "session")

    def action_only_flagged(self) -> None:
        chosen = replace(self._filter, only_flagged=not self._filter.only_flagged)
        self._choose(chosen, self._order)

    def action_only_disputed(self) -> None:
        chosen = replace(self._filter, only_disputed=not self._filter.only_disputed)
        self._choose(chosen, self._order)

    def action_show_all(self) -> None:
        self._choose(ReviewFilter(), self._order)

    def action_order(self) -> None:
        ring = list(ReviewOrder)
        self._choose(self._filter, ring[(ring.index(self._order) + 1) % len(ring)])

    def _ask(self, question: str, all_of_them: str, field: str) -> None:
        photos = self._store.photos()
        counts = Counter(v for photo in photos if (v := getattr(photo, field)) is not None)
        names = sorted(counts, reverse=field == "session")
        options: list[tuple[str, str | None]] = [(f"{all_of_them}  {len(photos):,}", None)]
        options += [(f"{name}  {counts[name]:,}", name) for name in names]

        def keep(answer: tuple[str | None] | None) -> None:
            if answer is not None:
                if field == "subject":
                    self._choose(replace(self._filter, subject=answer[0]), self._order)
                else:
                    self._choose(replace(self._filter, session=answer[0]), self._order)

        self.app.push_screen(ChoiceDialog(question, options), keep)

    def _choose(self, chosen: ReviewFilter, order: ReviewOrder) -> None:
        """Show these photos in this order; the cursor stays on its photo if that is among them."""
        self._filter, self._order = chosen, order
        if order is ReviewOrder.LOOK_ALIKES and self._alike is None:
            # Comparing all with all takes a while on a large dataset: not on the screen's time.
            self._answer(Feedback("comparing the photos"))
            self.run_worker(self._compare, thread=True, exclusive=True, group="lists")
        else:
            self.workers.cancel_group(self, "lists")
            self._take_list(ReviewList(self._store.photos(), chosen, order, self._alike))

    def _compare(self) -> None:
        """In a thread: compare all photos, anew where an edit came in between."""
        worker = get_current_worker()
        while True:
            heard = self._heard
            alike = rank_look_alikes(self._store.photos())
            if worker.is_cancelled:
                return
            if self.app.call_from_thread(self._take_compared, alike, heard):
                return

    def _take_compared(self, alike: dict[str, float], heard: int) -> bool:
        """Sort by likeness, unless the comparison is out of date by now."""
        if heard != self._heard:
            return False
        self._alike = alike
        self._choose(self._filter, self._order)
        return True

    def _take_list(self, photos: ReviewList) -> None:
        current = self.current
        self.photos = photos
        at = photos.find(current.path) if current is not None else None
        self.cursor, self._first, self._range_from = at or 0, 0, None
        self._show()

    # Drawing

    def _show(self) -> None:
        grid, count = self._gallery.grid, len(self.photos)
        self._first = grid.scroll_to(self._first, self.cursor)
        seen = self.photos.slice(self._first, self._first + grid.shown)
        span = self._chosen_span() if self._range_from is not None else (0, 0)
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
        target.show(pixels, "this file is no whole picture" if is_broken else "")

    def _show_header(self, count: int, span: tuple[int, int]) -> None:
        place = f"{self.cursor + 1:,} of {count:,}" if count else "none"
        chosen = f" · range of {span[1] - span[0]:,}" if span != (0, 0) else ""
        self.query_one("#header", Static).update(
            Content.assemble(
                (" ▦ gallery ", "bold $background on $primary"),
                (f"  {shown_text(self._filter)}", "bold"),
                (f"   {place} · {self._order}{chosen}   {shown_text(self._store.root)}", MUTED),
            )
        )

    def _answer(self, answer: Feedback) -> None:
        self._answered_s = time.monotonic()
        self.query_one("#answer", ToneLine).say(answer)

    def _fall_silent(self) -> None:
        if time.monotonic() - self._answered_s > _ANSWER_S:
            hint = "1-4 label and go on · v begins a range · o sorts · c s n m d choose"
            self.query_one("#answer", ToneLine).say(Feedback(hint))
