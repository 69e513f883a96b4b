"""The rules of who may be photographed from which source; independent of any screen."""

from datetime import date

from maskage.cameras.sources import STREAM_SCHEMES
from maskage.dataset.consent import SELF_BASIS, Consent, find_objection
from maskage.dataset.store import PhotoStore


def shows_people_live(source: str) -> bool:
    """Return whether a source shows people live: a webcam or stream, not a file or the demo."""
    return source.isdecimal() or source.lower().startswith(STREAM_SCHEMES)


def record_self(store: PhotoStore, subject: str, today: date) -> None:
    """Put on record that someone photographs themselves, unless their consent holds already."""
    if find_objection(subject, store.consents(), today) is not None:
        store.record_consent(Consent(subject, SELF_BASIS, today))
