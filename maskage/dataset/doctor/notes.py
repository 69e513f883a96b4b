"""The notes of the doctor: no faults, but things that only a person can decide."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.dataset.consent import Consent
from maskage.dataset.doctor.files import lies_open, list_loops, list_outside
from maskage.dataset.doctor.findings import Note
from maskage.dataset.doctor.manifest import ManifestState
from maskage.dataset.doctor.match_rows import Match
from maskage.dataset.outside_folders import ways_to_classes
from maskage.records import Photo


@dataclass(frozen=True)
class Examined:
    """What was read of a dataset.

    Attributes:
        root: The dataset.
        scheme: Its classes.
        manifest: Its manifest.
        matches: Its whole photos, with their rows.
        former: Paths of photos with rows that lie in the folder of a class which it has no more.
        writer: The program that writes to it now, or None.
    """

    root: Path
    scheme: Scheme
    manifest: ManifestState
    matches: tuple[Match, ...]
    former: tuple[str, ...] = ()
    writer: str | None = None


def list_notes(found: Examined, today: date) -> Iterator[Note]:
    """Everything worth a person's look, the gravest first.

    Args:
        found: The dataset.
        today: The day on which consents must hold.
    """
    root, writer, labels = found.root, found.writer, found.scheme.labels
    if writer is not None:
        yield Note(
            "in_use",
            f"another program is writing to it ({writer}): what it is saving now may be reported "
            f"as a fault. Quit it, and examine again",
            (writer,),
        )
    if lies_open(root, labels):
        yield Note(
            "no_permissions",
            "this disk knows no permissions (a USB stick or card in exFAT or FAT): whoever uses "
            "this computer, or takes the disk, can see the photos. Keep the dataset on another "
            "disk, or encrypt this one",
        )
    yield from _label_conflicts(found.matches)
    yield from _consents([match.known.photo for match in found.matches], found.manifest, today)
    yield from _former_classes(found)
    if loops := list_loops(root, labels):
        leads = _plural("is a link that leads", "are links that lead", loops)
        yield Note("links", f"{len(loops)} {leads} in a circle, and so to no photo", tuple(loops))
    former = set(found.former)
    if outside := [path for path in list_outside(root, labels) if path not in former]:
        lies, is_no = (
            _plural("picture lies", "pictures lie", outside),
            _plural("is", "are", outside),
        )
        yield Note(
            "outside",
            f"{len(outside)} {lies} in none of the folders {', '.join(labels)}, and {is_no} no "
            f"part of the dataset. `collector import` brings pictures in"
            f"{_way_of_folders(found, outside)}",
            tuple(outside),
        )


def _former_classes(found: Examined) -> Iterator[Note]:
    """Photos with their rows, in folders of classes that the scheme has no more."""
    folders: dict[str, list[str]] = {}
    for path in found.former:
        folders.setdefault(path.partition("/")[0], []).append(path)
    for folder, paths in sorted(folders.items()):
        ways = ways_to_classes(found.root, found.scheme, [folder])
        lies = _plural("photo of the dataset lies", "photos of the dataset lie", paths)
        yield Note(
            "former_class",
            f"{len(paths)} {lies} "
            f"in the folder {folder}, which is no class of it any more. {ways}. You may also move "
            f"them into one of {', '.join(found.scheme.labels)}; their rows are kept until then",
            tuple(paths),
        )


def _way_of_folders(found: Examined, outside: Sequence[str]) -> str:
    """Return how folders of pictures become classes; "" if there is no such folder."""
    scheme = found.scheme
    tops = {path.partition("/")[0] for path in outside if "/" in path}
    folders = sorted(name for name in tops if name not in scheme)
    return f". {ways_to_classes(found.root, scheme, folders)}" if folders else ""


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
