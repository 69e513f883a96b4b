"""The keys of the gallery that choose which photos are shown, and in which order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from textual.worker import get_current_worker

from collector.keys import KeyCommand
from collector.review.photo_list import (
    NOT_SET,
    ReviewFilter,
    ReviewList,
    ReviewOrder,
    rank_look_alikes,
)
from collector.screens.gallery_screen import GalleryScreen
from collector.widgets.class_search import PaletteEntry
from collector.widgets.dialogs import ChoiceDialog
from maskage.capture.photographer import Feedback
from maskage.capture.writer import Edited, How, PhotoWriter
from maskage.dataset.edits import Edit
from maskage.dataset.store import PhotoStore

_RING = 9
"""Most classes that one goes round by a key."""


class FilteredScreen(GalleryScreen):
    """The photos of the dataset that meet a filter, in an order.

    Args:
        store, writer, commands, recent: See `GalleryScreen`.

    Attributes:
        photos: The photos that are shown, in order.
    """

    photos: ReviewList

    def __init__(
        self,
        store: PhotoStore,
        writer: PhotoWriter,
        commands: Sequence[KeyCommand],
        recent: Sequence[str] = (),
    ) -> None:
        super().__init__(store, writer, commands, recent)
        self._filter = ReviewFilter()
        self._order = ReviewOrder.NEWEST
        self.photos = ReviewList([], self._filter, self._order)
        self._heard = 0
        self._alike: dict[str, float] | None = None

    def start(self) -> None:
        """List the photos."""
        self._choose(self._filter, self._order)

    def follow(self, report: Edited) -> None:
        """Bring the list and the cursor up to what was done."""
        self._heard += 1
        for edit in report.edits:
            if edit.before is not None and edit.after is not None:
                self._thumbs.rename(edit.before.path, edit.after.path)
                self._larges.rename(edit.before.path, edit.after.path)
        self.cursor = self.photos.follow(report.edits, self.cursor)
        if report.how is not How.DONE:
            self._go_to(report.edits)

    def describe_shown(self) -> tuple[str, str]:
        """Return the filter and the order in words, and how many labels to correct there are."""
        words = self._filter.describe(self._scheme)
        if self._filter.only_disputed and (wrong := round(self.photos.expected_wrong)):
            words += f" · about {wrong:,} of them wrong"
        return words, str(self._order)

    def _go_to(self, edits: Sequence[Edit]) -> None:
        """Move the cursor to the photo that came back."""
        for edit in edits:
            if edit.after is not None and (at := self.photos.find(edit.after.path)) is not None:
                self.cursor = at
                return

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

    def action_only_group(self) -> None:
        """Ask which group to show."""
        self._ask("Which group?", "all groups", "group")

    def action_only_origin(self) -> None:
        """Ask which split of the source to show."""
        self._ask("From which split of the source?", "all splits", "origin")

    def action_only_flagged(self) -> None:
        """Show only flagged photos, or all."""
        chosen = replace(self._filter, only_flagged=not self._filter.only_flagged)
        self._choose(chosen, self._order)

    def action_only_disputed(self) -> None:
        """Show only photos whose label an opinion disputes, or all."""
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
        counts = Counter(getattr(photo, field) or NOT_SET for photo in photos)
        unnamed = counts.pop(NOT_SET, 0)
        names = sorted(counts, reverse=field == "session")
        options: list[tuple[str, str | None]] = [(f"{all_of_them}  {len(photos):,}", None)]
        options += [(f"{name}  {counts[name]:,}", name) for name in names]
        if unnamed:
            options.insert(1, (f"(no {field})  {unnamed:,}", NOT_SET))

        def keep(answer: tuple[str | None] | None) -> None:
            if answer is not None:
                changed: dict[str, Any] = {field: answer[0]}
                self._choose(replace(self._filter, **changed), self._order)

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
        self.cursor, self._first = at or 0, 0
        self._end_range()
        self._show()
