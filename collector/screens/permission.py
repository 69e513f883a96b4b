"""The permission to photograph the person in front of the camera, and asking for it."""

from collections.abc import Callable
from datetime import date

from textual.screen import Screen

from collector.widgets.dialogs import ConsentDialog
from collector.widgets.known_names import list_known
from collector.widgets.subject_dialog import SubjectDialog
from maskage.dataset.consent import Consent, find_objection
from maskage.dataset.consent_rules import shows_people_live
from maskage.dataset.store import PhotoStore
from maskage.errors import ToolchainError


class Permission:
    """The consents of one dataset, and the dialogs that ask for one.

    Args:
        store: The dataset, open.
        refuse: Called with the reason why a consent could not be recorded.
        today: Returns the current day.
    """

    def __init__(
        self,
        store: PhotoStore,
        refuse: Callable[[str], None],
        today: Callable[[], date] = date.today,
    ) -> None:
        self._store = store
        self._refuse = refuse
        self._today = today
        self._consents = store.consents()

    def objection(self, subject: str | None, source: str) -> str | None:
        """Return why this person may not be photographed from this source, or None."""
        if not shows_people_live(source):
            return None
        return find_objection(subject, self._consents, self._today())

    def ask_subject(
        self, screen: Screen[None], subject: str | None, source: str, then: Callable[[str], None]
    ) -> None:
        """Ask for the subject, and for the consent where it is needed and not on record.

        Args:
            screen: The screen that the dialogs cover.
            subject: The subject so far.
            source: Address of the camera.
            then: Called with the pseudonym; not where the person left the first dialog.
        """

        def check(chosen: str | None) -> None:
            if chosen is not None:
                self.ask_consent(screen, chosen, source, then)

        people = list_known(self._store.photos(), "subject", self._consents)
        screen.app.push_screen(SubjectDialog(subject, people, self._store.scheme), check)

    def ask_consent(
        self, screen: Screen[None], subject: str, source: str, then: Callable[[str], None]
    ) -> None:
        """Ask for the consent where it is needed and not on record; see `ask_subject`."""
        objection = self.objection(subject, source)
        if objection is None:
            then(subject)
            return

        def record(consent: Consent | None) -> None:
            then(subject)
            if consent is not None:
                self._record(consent)
                # Once more: now that it is on record, the shutter may open.
                then(subject)

        screen.app.push_screen(ConsentDialog(subject, self._today(), objection), record)

    def _record(self, consent: Consent) -> None:
        try:
            self._store.record_consent(consent)
        except ToolchainError as fault:
            # Not on record, so the shutter stays closed.
            self._refuse(str(fault))
        else:
            self._consents = self._store.consents()
