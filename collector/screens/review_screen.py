"""The screen that reviews photos: what its keys do to them.

Nothing here waits: thumbnails are decoded by threads, and edits are ordered from the writer's
thread; what is on the screen follows when they are on the disk.
"""

from collections.abc import Callable, Sequence

from collector.capture.edit_messages import DISK_TOO_SLOW
from collector.keys import KeyCommand, trash_commands
from collector.screens.review_filters import FilteredScreen
from collector.screens.trash_screen import TrashScreen
from collector.widgets.facts_dialog import FACTS, FactChanges, FactsDialog
from collector.widgets.known_names import list_known
from maskage.capture.photographer import Feedback, Tone
from maskage.capture.writer import PhotoWriter
from maskage.dataset.edits import Edit, confirming, flagging, trashing
from maskage.dataset.store import PhotoStore
from maskage.records import Photo, Suggestion


class ReviewScreen(FilteredScreen):
    """The keys of the gallery.

    Args:
        store: The dataset, open.
        writer: Writes to the same store; its history is shared with the capture screen.
        commands: The keys.
        recent: The classes used so far, the last one first.
        keys_of_trash: The keys of the trash; none for those that nobody changed.
    """

    def __init__(
        self,
        store: PhotoStore,
        writer: PhotoWriter,
        commands: Sequence[KeyCommand],
        recent: Sequence[str] = (),
        keys_of_trash: Sequence[KeyCommand] = (),
    ) -> None:
        super().__init__(store, writer, commands, recent)
        self._keys_of_trash = keys_of_trash or trash_commands(store.scheme)

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
        """Order the suggested label for the chosen photos: the surest where two disagree."""
        suggested = [each for photo in self._chosen() if (each := _opinion_of(photo))]
        if not suggested:
            answer = "no suggestion here: run `detector suggest` to get some"
        elif not any(each.label in self._scheme for each in suggested):
            answer = f"the model suggests {suggested[0].label}, which is no class of this dataset"
        else:
            self._edit_chosen(self._accept)
            return
        self._answer(Feedback(answer, Tone.CARE))

    def _accept(self, photo: Photo) -> Edit | None:
        opinion = _opinion_of(photo)
        if opinion is None or opinion.label not in self._scheme:
            return None
        return self._relabel(photo, opinion.label)

    def action_confirm(self) -> None:
        """Record that the label is right, so that it is disputed no more; or take that back."""
        chosen = self._chosen()
        # A range is confirmed as one: where any lacks it.
        is_confirmed = not all(photo.confirmed == photo.label for photo in chosen)

        def confirm(photo: Photo) -> Edit | None:
            edit = confirming(photo, is_confirmed=is_confirmed)
            return edit if edit.after != photo else None

        self._edit_chosen(confirm, advance=is_confirmed)

    def action_facts(self) -> None:
        """Ask for subject, session and group of the chosen photos."""
        chosen = self._chosen()
        if not chosen:
            return
        photos, consents = self._store.photos(), self._store.consents()
        known = {
            fact: list_known(photos, fact, consents if fact == "subject" else ()) for fact in FACTS
        }

        def describe(changes: FactChanges | None) -> None:
            if changes is not None and self._edit(chosen, changes.edit):
                # Where the filter lets the photos go, others would stand in the range.
                self._end_range()
                self._show()

        self.app.push_screen(FactsDialog(chosen, known, self._scheme), describe)

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

    def action_see_trash(self) -> None:
        """Show the trash over the gallery."""
        self.app.push_screen(
            TrashScreen(self._store, self._writer, self._keys_of_trash, self._recent)
        )

    def _relabel(self, photo: Photo, label: str) -> Edit | None:
        return self._store.relabelling(photo, label) if photo.label != label else None

    def _edit_chosen(
        self, edit_one: Callable[[Photo], Edit | None], *, advance: bool = True
    ) -> None:
        """Order one edit of each chosen photo, and go on without waiting for it."""
        chosen = self._chosen()
        if not chosen or not self._edit(chosen, edit_one):
            return
        end, were_all = self._chosen_span()[1], self._are_all_chosen
        self._end_range()
        if advance and not were_all:
            self.cursor = min(end, max(0, len(self.photos) - 1))
        self._show()

    def _edit(self, chosen: Sequence[Photo], edit_one: Callable[[Photo], Edit | None]) -> bool:
        """Order one edit of each of these photos; say so where the order is not taken."""

        def plan() -> list[Edit]:
            # In the writer's thread: orders before this one may have moved a photo.
            latest = [self._store.latest(photo) for photo in chosen]
            edits = [edit_one(photo) for photo in latest if photo is not None]
            return [edit for edit in edits if edit is not None]

        is_taken = self._writer.edit(plan)
        if not is_taken:
            self._answer(DISK_TOO_SLOW)
        return is_taken


def _opinion_of(photo: Photo) -> Suggestion | None:
    """Return the opinion that is accepted: the surest that disputes the label, or the one there."""
    return next(iter(photo.disputes), photo.suggestion or photo.check)
