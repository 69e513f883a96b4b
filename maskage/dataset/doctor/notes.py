"""The notes of the doctor: no faults, but things that only a person can decide."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.doctor.files import lies_open, list_outside
from maskage.dataset.doctor.findings import Note
from maskage.dataset.doctor.manifest import ManifestState
from maskage.dataset.doctor.match_rows import Match
from maskage.records import Photo


def list_notes(
    root: Path,
    writer: str | None,
    manifest: ManifestState,
    matches: Sequence[Match],
    today: date,
) -> Iterator[Note]:
    """Everything worth a person's look, the gravest first.

    Args:
        root: The dataset.
        writer: The program that writes to it now, or None.
        manifest: Its manifest.
        matches: Its whole photos, with their rows.
        today: The day on which consents must hold.
    """
    if writer is not None:
        yield Note(
            "in_use",
            f"another program is writing to it ({writer}): what it is saving now may be reported "
            f"as a fault. Quit it, and examine again",
            (writer,),
        )
    if lies_open(root):
        yield Note(
            "no_permissions",
            "this disk knows no permissions (a USB stick or card in exFAT or FAT): whoever uses "
            "this computer, or takes the disk, can see the photos. Keep the dataset on another "
            "disk, or encrypt this one",
        )
    yield from _label_conflicts(matches)
    yield from _consents([match.known.photo for match in matches], manifest, today)
    if outside := list_outside(root):
        yield Note(
            "outside",
            f"{len(outside)} {_plural('picture lies', 'pictures lie', outside)} in none of the "
            f"folders {', '.join(MASK_AGE.labels)}, and {_plural('is', 'are', outside)} no part "
            f"of the dataset. `collector import` brings pictures in",
            tuple(outside),
        )


def _label_conflicts(matches: Iterable[Match]) -> Iterator[Note]:
    """Content that lies in two classes: at most one of them can be right."""
    by_content: dict[str | None, list[Match]] = {}
    for match in matches:
        by_content.setdefault(match.file.sha256, []).append(match)
    for same in by_content.values():
        if len({match.file.label for match in same}) > 1:
            paths = tuple(match.file.path for match in same)
            yield Note(
                "label_conflict",
                f"one picture under several labels: {', '.join(paths)}. Keep the one that is right",
                paths,
            )


def _consents(photos: Iterable[Photo], manifest: ManifestState, today: date) -> Iterator[Note]:
    """Return subjects whose consent has ended, or who were photographed without one on record."""
    subjects: dict[str, bool] = {}
    for photo in photos:
        if photo.subject is not None:
            is_live = subjects.get(photo.subject, False) or _is_live(photo.source)
            subjects[photo.subject] = is_live
    consents = manifest.consents
    ended = [name for name in sorted(subjects) if _has_ended(consents.get(name), today)]
    if ended:
        yield Note(
            "consent_expired",
            f"the consent of {_name(ended)} has ended. "
            f"Ask again, or remove the photos with `collector forget`",
            tuple(ended),
        )
    lacking = [name for name, live in sorted(subjects.items()) if live and name not in consents]
    if lacking:
        yield Note(
            "consent_missing",
            f"no consent on record of {_name(lacking)}. Write it down with `collector consent`",
            tuple(lacking),
        )


def _has_ended(consent: Consent | None, today: date) -> bool:
    return consent is not None and consent.expires_on is not None and consent.expires_on < today


def _is_live(source: str | None) -> bool:
    """Return whether a photo may have been taken with a camera of the collector.

    The people of the demo camera agree, and whoever imports pictures had them before.
    """
    return source is None or source.isdecimal() or "://" in source


def _name(subjects: Sequence[str], most: int = 5) -> str:
    if len(subjects) <= most:
        return ", ".join(subjects)
    return f"{', '.join(subjects[:most])} and {len(subjects) - most} more"


def _plural(one: str, several: str, things: Sequence[object]) -> str:
    return one if len(things) == 1 else several
