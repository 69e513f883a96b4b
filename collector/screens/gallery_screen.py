"""A screen of tiles over the writer: moving, choosing, undo, and following what was done."""

from collections.abc import Sequence

from textual import on

from collector.capture.edit_messages import DISK_TOO_SLOW, describe_edits, describe_set_aside
from collector.keys import KeyCommand
from collector.review.gallery import Gallery
from collector.screens.messages import ThumbsReady, WriterReported
from collector.screens.review_view import ReviewView
from collector.widgets.dialogs import HelpPage
from collector.widgets.panels import count_photos
from maskage.capture.photographer import Feedback, Tone
from maskage.capture.writer import Edited, NotDone, PhotoWriter, PictureSetAside, Report
from maskage.dataset.store import PhotoStore

_TALL_ROWS = 34


class GalleryScreen(ReviewView):
    """The keys that all screens of tiles have.

    Args:
        store: The dataset, open.
        writer: Writes to the same store; its history is shared by all screens.
        commands: The keys.
        recent: The classes used so far, the last one first.
        folder: Folder below the dataset's in which the photos lie.
    """

    HELP_TEXT = "Every step can be undone; removed photos stay in the trash."

    def __init__(
        self,
        store: PhotoStore,
        writer: PhotoWriter,
        commands: Sequence[KeyCommand],
        recent: Sequence[str] = (),
        folder: str = "",
    ) -> None:
        super().__init__(store, commands, recent, folder)
        self._writer = writer

    def on_mount(self) -> None:
        """Follow the writer from now on."""
        self._gallery.thumbs = self._thumbs
        if self.app.size.height < _TALL_ROWS:
            self._gallery.zoom(-1)
        self._writer.add_listener(self._post_report)
        self.set_interval(0.5, self._fall_silent)
        self.start()

    def start(self) -> None:
        """List the photos."""
        raise NotImplementedError

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
            self.follow_failure()
            self._answer(Feedback(report.message, Tone.BAD))
            return
        if isinstance(report, PictureSetAside):
            self._answer(describe_set_aside(report))
            return
        self.follow(report)
        self._answer(describe_edits(report, self._scheme))
        self._show()

    def follow(self, report: Edited) -> None:
        """Bring what is shown up to what was done."""
        raise NotImplementedError

    def follow_failure(self) -> None:
        """Bring what is shown up to an order that failed."""

    def action_undo(self) -> None:
        """Order the last step to be undone."""
        if not self._writer.undo():
            self._answer(DISK_TOO_SLOW)

    def action_redo(self) -> None:
        """Order what was undone to be done again."""
        if not self._writer.redo():
            self._answer(DISK_TOO_SLOW)

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
        is_ended = self._has_range
        self._are_all_chosen = False
        self._range_from = None if is_ended else self.cursor
        words = "range ended" if is_ended else "range started: move, then press a key"
        self._answer(Feedback(words))
        self._show()

    def action_choose_all(self) -> None:
        """Choose all photos that are shown; the next key works on all of them."""
        if not len(self.photos):
            return
        self._range_from, self._are_all_chosen = None, True
        self._answer(Feedback(f"{count_photos(len(self.photos))} chosen: press a key, or v to end"))
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
        elif self._has_range:
            self.action_range()
        elif self.is_current:
            self.dismiss()

    def action_help(self) -> None:
        """Show what every key does."""
        self.app.push_screen(HelpPage(self._commands, self.HELP_TEXT))

    def _move(self, cursor: int) -> None:
        self.cursor = cursor
        self._show()
