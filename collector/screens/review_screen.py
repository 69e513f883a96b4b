"""The screen that reviews photos: what its keys do.

Nothing here waits: thumbnails are decoded by threads, and edits are ordered from the writer's
thread; what is on the screen follows when they are on the disk.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from textual import on
from textual.worker import get_current_worker

from collector.capture.edit_messages import DISK_TOO_SLOW, describe_edits, describe_set_aside
from collector.capture.photographer import Feedback, Tone
from collector.capture.writer import How, NotDone, PhotoWriter, PictureSetAside, Report
from collector.keys import KeyCommand
from collector.review.gallery import Gallery
from collector.review.photo_list import ReviewFilter, ReviewList, ReviewOrder, rank_look_alikes
from collector.screens.messages import ThumbsReady, WriterReported
from collector.screens.review_view import ReviewView
from collector.widgets.class_search import PaletteEntry
from collector.widgets.dialogs import ChoiceDialog, HelpPage
from maskage.dataset.edits import Edit, flagging, trashing
from maskage.dataset.store import PhotoStore
from maskage.records import Photo

_TALL_ROWS = 34
_RING = 9
"""Most classes that one goes round by a key."""


class ReviewScreen(ReviewView):
    """The keys of the gallery.

    Args:
        store: The dataset, open.
        writer: Writes to the same store; its history is shared with the capture screen.
        commands: The keys.
        recent: The classes used so far, the last one first.
    """

    def __init__(
        self,
        store: PhotoStore,
        writer: PhotoWriter,
        commands: Sequence[KeyCommand],
        recent: Sequence[str] = (),
    ) -> None:
        super().__init__(store, commands, recent)
        self._writer = writer
        self._heard = 0
        self._alike: dict[str, float] | None = None

    def on_mount(self) -> None:
        """List the photos, and follow the writer from now on."""
        self._gallery.thumbs = self._thumbs
        if self.app.size.height < _TALL_ROWS:
            self._gallery.zoom(-1)
        self._writer.add_listener(self._post_report)
        self.set_interval(0.5, self._fall_silent)
        self._choose(self._filter, self._order)

    def on_unmount(self) -> None:
        """Stop following the writer, and end the decoding threads."""
        self._writer.remove_listener(self._post_report)
        self._thumbs.close()
        self._larges.close()

    # Messages

    def _post_report(self, report: Report) -> None:
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
        if isinstance(report, PictureSetAside):
            self._answer(describe_set_aside(report))
            return
        self._heard += 1
        for edit in report.edits:
            if edit.before is not None and edit.after is not None:
                self._thumbs.rename(edit.before.path, edit.after.path)
                self._larges.rename(edit.before.path, edit.after.path)
        self.cursor = self.photos.follow(report.edits, self.cursor)
        if report.how is not How.DONE:
            self._go_to(report.edits)
        self._answer(describe_edits(report, self._scheme))
        self._show()

    def _go_to(self, edits: Sequence[Edit]) -> None:
        """Move the cursor to the photo that came back."""
        for edit in edits:
            if edit.after is not None and (at := self.photos.find(edit.after.path)) is not None:
                self.cursor = at
                return

    # Keys that change photos

    def action_relabel(self, number: int) -> None:
        """Order the class of this number for the chosen photos."""
        self._label_chosen(self._scheme.labels[number])

    def _label_chosen(self, label: str | None) -> None:
        if label is not None:
            self._note_used(label)
            self._edit_chosen(lambda photo: self._relabel(photo, label))

    def action_find_class(self) -> None:
        """Ask for a class by its name, to label the chosen photos with."""
        entries = self._list_classes(self._store.counts())
        self._open_palette("label it as which class?", entries, self._label_chosen)

    def action_accept(self) -> None:
        """Order the suggested label for the chosen photos."""
        suggested = [p.suggestion.label for p in self._chosen() if p.suggestion]
        if not suggested:
            answer = "no suggestion here: run `detector suggest` to get some"
        elif not any(label in self._scheme for label in suggested):
            answer = f"the model suggests {suggested[0]}, which is no class of this dataset"
        else:
            self._edit_chosen(self._accept)
            return
        self._answer(Feedback(answer, Tone.CARE))

    def _accept(self, photo: Photo) -> Edit | None:
        label = photo.suggestion.label if photo.suggestion else photo.label
        return self._relabel(photo, label) if label in self._scheme else None

    def action_trash(self) -> None:
        """Order the chosen photos to the trash."""
        self._edit_chosen(trashing)

    def action_flag(self) -> None:
        """Set the flag, or remove it where it is set."""
        chosen = self._chosen()
        # A range is flagged as one: set where any lacks it.
        is_flagged = not all(photo.is_flagged for photo in chosen)
        self._edit_chosen(
            lambda p: flagging(p, is_flagged=is_flagged) if p.is_flagged != is_flagged else None,
            advance=False,
        )

    def action_undo(self) -> None:
        """Order the last step to be undone."""
        if not self._writer.undo():
            self._answer(DISK_TOO_SLOW)

    def action_redo(self) -> None:
        """Order what was undone to be done again."""
        if not self._writer.redo():
            self._answer(DISK_TOO_SLOW)

    def _relabel(self, photo: Photo, label: str) -> Edit | None:
        return self._store.relabelling(photo, label) if photo.label != label else None

    def _edit_chosen(
        self, edit_one: Callable[[Photo], Edit | None], *, advance: bool = True
    ) -> None:
        """Order one edit of each chosen photo, and go on without waiting for it."""
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

    # Keys that move

    def action_step(self, columns: int, rows: int) -> None:
        """Move the cursor by columns and rows of tiles."""
        grid = self._gallery.grid
        if self._is_enlarged:
            columns, rows = columns + rows, 0
        self._move(grid.step(self.cursor, len(self.photos), columns, rows))

    def action_page(self, direction: int) -> None:
        """Move the cursor by one screen of tiles; -1 is up."""
        grid = self._gallery.grid
        self._move(grid.step(self.cursor, len(self.photos), rows=direction * grid.down))

    def action_end(self, direction: int) -> None:
        """Move the cursor to the first photo (-1) or the last (1)."""
        self._move(0 if direction < 0 else max(0, len(self.photos) - 1))

    def action_range(self) -> None:
        """Start a range at the cursor, or end it."""
        self._range_from = self.cursor if self._range_from is None else None
        words = (
            "range started: move, then press a key"
            if self._range_from is not None
            else "range ended"
        )
        self._answer(Feedback(words))
        self._show()

    def action_enlarge(self) -> None:
        """Show one photo as large as the screen, or the tiles again."""
        self._is_enlarged = not self._is_enlarged
        self.set_class(self._is_enlarged, "-enlarged")
        self._show()

    def action_zoom(self, steps: int) -> None:
        """Make the tiles larger (1) or smaller (-1)."""
        self._gallery.zoom(steps)
        self._show()

    def action_back(self) -> None:
        """Leave the large photo, then the range, then the gallery."""
        if self._is_enlarged:
            self.action_enlarge()
        elif self._range_from is not None:
            self.action_range()
        elif self.is_current:
            self.dismiss()

    def action_help(self) -> None:
        """Show what every key does."""
        self.app.push_screen(
            HelpPage(self._commands, "Every step can be undone; removed photos stay in the trash.")
        )

    def _move(self, cursor: int) -> None:
        self.cursor = cursor
        self._show()

    # Keys that choose what is shown

    def action_only_class(self) -> None:
        """Filter by the next class, then by none; where they are many, ask for one by its name."""
        if len(self._scheme) <= _RING:
            ring = [None, *self._scheme.labels]
            self._choose_class(ring[(ring.index(self._filter.label) + 1) % len(ring)])
            return
        counts = self._store.counts()
        everything = PaletteEntry(None, "all classes", sum(counts.values()))
        self._open_palette(
            "show only which class?", [everything, *self._list_classes(counts)], self._choose_class
        )

    def _choose_class(self, label: str | None) -> None:
        self._choose(replace(self._filter, label=label), self._order)

    def action_only_subject(self) -> None:
        """Ask whose photos to show."""
        self._ask("Whose photos?", "all people", "subject")

    def action_only_session(self) -> None:
        """Ask which session to show."""
        self._ask("Which session?", "all sessions", "session")

    def action_only_flagged(self) -> None:
        """Show only flagged photos, or all."""
        chosen = replace(self._filter, only_flagged=not self._filter.only_flagged)
        self._choose(chosen, self._order)

    def action_only_disputed(self) -> None:
        """Show only photos whose label a model disputes, or all."""
        chosen = replace(self._filter, only_disputed=not self._filter.only_disputed)
        self._choose(chosen, self._order)

    def action_show_all(self) -> None:
        """Remove every filter."""
        self._choose(ReviewFilter(), self._order)

    def action_order(self) -> None:
        """Sort by the next order."""
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
        """Show these photos in this order; the cursor stays on its photo if it is shown."""
        self._filter, self._order = chosen, order
        if order is ReviewOrder.LOOK_ALIKES and self._alike is None:
            # Comparing all with all takes a while on a large dataset: not on the screen's time.
            self._answer(Feedback("comparing the photos"))
            self.run_worker(self._compare, thread=True, exclusive=True, group="lists")
        else:
            self.workers.cancel_group(self, "lists")
            self._take_list(ReviewList(self._store.photos(), chosen, order, self._alike))

    def _compare(self) -> None:
        """Compare all photos, in a thread; again where an edit came in between."""
        worker = get_current_worker()
        while True:
            heard = self._heard
            alike = rank_look_alikes(self._store.photos())
            if worker.is_cancelled:
                return
            if self.app.call_from_thread(self._take_compared, alike, heard):
                return

    def _take_compared(self, alike: dict[str, float], heard: int) -> bool:
        """Sort by likeness; return False where the comparison is out of date by now."""
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
