"""The screen that shows the trash: photos are brought back, or deleted for good."""

from collections.abc import Sequence

from textual import on
from textual.worker import get_current_worker

from collector.capture.edit_messages import DISK_TOO_SLOW
from collector.keys import KeyCommand
from collector.review.photo_details import PhotoDetails
from collector.review.trash_list import TrashList
from collector.screens.gallery_screen import GalleryScreen
from collector.screens.messages import PhotosDeleted
from collector.widgets.dialogs import ConfirmDialog
from collector.widgets.panels import count_photos
from maskage.capture.photographer import Feedback, Tone
from maskage.capture.writer import Edited, PhotoWriter
from maskage.dataset.photo_files import TRASH
from maskage.dataset.store import PhotoStore
from maskage.dataset.trash import TrashedPhoto, list_trash, restoring
from maskage.errors import ToolchainError
from maskage.outside_text import shown_text


class TrashScreen(GalleryScreen):
    """The keys of the trash.

    Args:
        store: The dataset, open.
        writer: Writes to the same store; a restoring can be undone like every step.
        commands: The keys.
        recent: The classes used so far, the last one first.
    """

    TITLE_TEXT = "✗ trash"
    FAMILIES = (("restore_as", "restore as"), ("step", "move"))
    HINT = "restore as that class · r: restore · x: delete for good · E: empty"
    HELP_TEXT = (
        "Restoring can be undone. What is deleted here is gone for good: the file and its row, "
        "and nothing brings it back."
    )
    photos: TrashList

    def __init__(
        self,
        store: PhotoStore,
        writer: PhotoWriter,
        commands: Sequence[KeyCommand],
        recent: Sequence[str] = (),
    ) -> None:
        super().__init__(store, writer, commands, recent, TRASH)
        self.photos = TrashList()
        self._ordered: set[str] = set()

    def start(self) -> None:
        """Read what is in the trash."""
        self._gallery.empty_text = "reading the trash"
        self._show()
        self._list()

    def follow(self, report: Edited) -> None:
        """Read the trash again where photos came or went."""
        if any(edit.action in ("trash", "restore") for edit in report.edits):
            self._list()

    def follow_failure(self) -> None:
        """Read the trash again: what was ordered is still there."""
        self._list()

    def describe_shown(self) -> tuple[str, str]:
        """Return what is shown, in words."""
        return "removed photos", "removed last first"

    def _list(self) -> None:
        self.run_worker(self._read, thread=True, exclusive=True, group="lists")

    def _read(self) -> None:
        """List the trash, in a thread: files that were put there by hand are hashed."""
        worker = get_current_worker()
        try:
            listed = list_trash(self._store)
        except ToolchainError as fault:
            if not worker.is_cancelled:
                self.app.call_from_thread(self._answer, Feedback(str(fault), Tone.BAD))
            return
        if not worker.is_cancelled:
            self.app.call_from_thread(self._take_list, listed)

    def _take_list(self, listed: Sequence[TrashedPhoto]) -> None:
        current = self.current
        self.photos = TrashList(listed)
        self._ordered.clear()
        at = self.photos.find(current.path) if current is not None else None
        self.cursor = min(self.cursor if at is None else at, max(0, len(listed) - 1))
        self._gallery.empty_text = "the trash is empty: press t to go back"
        self._end_range()
        self._show()

    def _show_current(self) -> None:
        current = self.current
        removed_at = None if current is None else self.photos.removed_at(current.path)
        self.query_one("#facts", PhotoDetails).removed_at = removed_at
        super()._show_current()

    # Keys

    def action_restore(self) -> None:
        """Order the chosen photos back into their classes."""
        self._restore(self._chosen_trashed())

    def action_restore_as(self, number: int) -> None:
        """Order the chosen photos back into the class of this number."""
        self._restore(self._chosen_trashed(), self._scheme.labels[number])

    def action_restore_all(self) -> None:
        """Order all photos back into their classes."""
        self._restore(self._all_trashed())

    def action_find_class(self) -> None:
        """Ask for a class by its name, to restore the chosen photos into."""

        def restore(label: str | None) -> None:
            if label is not None:
                self._note_used(label)
                self._restore(self._chosen_trashed(), label)

        entries = self._list_classes(self._store.counts())
        self._open_palette("restore into which class?", entries, restore)

    def action_delete(self) -> None:
        """Ask whether to delete the chosen photos for good."""
        self._ask_to_delete(self._chosen_trashed(), "Delete")

    def action_empty(self) -> None:
        """Ask whether to delete all photos in the trash for good."""
        self._ask_to_delete(self._all_trashed(), "Empty the trash: delete")

    def _chosen_trashed(self) -> list[TrashedPhoto]:
        chosen = [photo for photo in self._chosen() if photo.path not in self._ordered]
        return self.photos.trashed(chosen)

    def _all_trashed(self) -> list[TrashedPhoto]:
        everything = self.photos.slice(0, len(self.photos))
        return self.photos.trashed(each for each in everything if each.path not in self._ordered)

    def _restore(self, trashed: Sequence[TrashedPhoto], label: str | None = None) -> None:
        """Order photos back, and go on without waiting for it."""
        if not trashed:
            return
        former = {each.photo.label for each in trashed if each.photo.label not in self._scheme}
        if former and label is None:
            names = ", ".join(sorted(map(shown_text, former)))
            self._answer(
                Feedback(f"no class {names} any more: press the key of a class", Tone.CARE)
            )
            return
        if not self._writer.edit(lambda: restoring(self._store, trashed, label)):
            self._answer(DISK_TOO_SLOW)
            return
        self._go_on(trashed)

    def _ask_to_delete(self, trashed: Sequence[TrashedPhoto], verb: str) -> None:
        if not trashed:
            return

        def delete(is_meant: bool | None) -> None:
            if not is_meant:
                return
            if not self._writer.delete(trashed, self._report_deleted):
                self._answer(DISK_TOO_SLOW)
                return
            self._go_on(trashed)

        text = (
            "This is final: files and rows are deleted, and no undo brings them back. Pictures "
            "that they were imported from count as new again."
        )
        question = f"{verb} {count_photos(len(trashed))} for good?"
        self.app.push_screen(ConfirmDialog(question, text), delete)

    def _go_on(self, trashed: Sequence[TrashedPhoto]) -> None:
        end = self._chosen_span()[1]
        self._ordered |= {each.photo.path for each in trashed}
        self._end_range()
        self.cursor = min(end, max(0, len(self.photos) - 1))
        self._show()

    def _report_deleted(self, count: int) -> None:
        self.post_message(PhotosDeleted(count))

    @on(PhotosDeleted)
    def _hear_deleted(self, message: PhotosDeleted) -> None:
        self._answer(Feedback(f"deleted for good: {count_photos(message.count)}"))
        self._list()
