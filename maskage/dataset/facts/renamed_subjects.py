"""What becomes of consents and of the log of outputs when a person gets another pseudonym. Pure.

A person has another pseudonym where every photo of the former one goes to it. Where only some of
the photos go, they were another person's, and the consent stays with the former one.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from maskage.dataset.consent import Consent
from maskage.dataset.edits import Edit
from maskage.outside_text import shown_text
from maskage.records import Photo


@dataclass(frozen=True)
class RenamedSubject:
    """A person whose photos all got another pseudonym.

    Attributes:
        former: The pseudonym before.
        new: The pseudonym afterwards.
        moves_consent: The consent on record goes over to the new pseudonym.
        keeps_former: The former pseudonym stays on record, since photos in the trash have it.
    """

    former: str
    new: str
    moves_consent: bool
    keeps_former: bool = False


@dataclass(frozen=True)
class SubjectChanges:
    """What changed subjects mean for consents.

    Attributes:
        renamed: The people with another pseudonym.
        notes: What the user has to know or to do; whole sentences.
    """

    renamed: tuple[RenamedSubject, ...] = ()
    notes: tuple[str, ...] = ()


def find_subject_changes(
    edits: Sequence[Edit],
    photos: Iterable[Photo],
    removed: Iterable[Photo],
    consents: Mapping[str, Consent],
) -> SubjectChanges:
    """Find the people who get another pseudonym, and whose consent is then missing.

    Args:
        edits: The edits that are planned.
        photos: All photos of the dataset, before them.
        removed: The photos in its trash, and those of which only the row is left.
        consents: Every consent on record, by subject.
    """
    held = Counter(photo.subject for photo in photos if photo.subject)
    trashed = Counter(photo.subject for photo in removed if photo.subject)
    going: dict[str, Counter[str | None]] = {}
    given: set[str] = set()
    for edit in edits:
        before, after = edit.before, edit.after
        if before is None or after is None or before.subject == after.subject:
            continue
        if before.subject is not None:
            going.setdefault(before.subject, Counter())[after.subject] += 1
        given |= {after.subject} if after.subject is not None else set()
    renamed: list[RenamedSubject] = []
    notes: list[str] = []
    for former, targets in sorted(going.items()):
        new = next(iter(targets))
        if targets.total() == held[former] and len(targets) == 1 and new is not None:
            found = RenamedSubject(
                former,
                new,
                moves_consent=former in consents and new not in consents,
                keeps_former=bool(trashed[former]),
            )
            renamed.append(found)
            notes += _notes_of(found, trashed[former], consents)
        elif former in consents and targets.total() == held[former]:
            notes.append(
                f"The consent of {shown_text(former)} stays on record, without photos. Remove it "
                f"with: collector forget {shown_text(former)}"
            )
    covered = {each.new for each in renamed if each.moves_consent} | set(consents)
    if consents and (lacking := sorted(given - covered)):
        notes.append(
            f"No consent on record of {', '.join(map(shown_text, lacking))}. Put one on record "
            f"with: collector consent {shown_text(lacking[0])} --basis 'form 12'"
        )
    return SubjectChanges(tuple(renamed), tuple(notes))


def _notes_of(
    found: RenamedSubject, trashed: int, consents: Mapping[str, Consent]
) -> Iterable[str]:
    former, new = shown_text(found.former), shown_text(found.new)
    if found.moves_consent and found.keeps_former:
        yield f"The consent of {former} is put on record for {new} too."
    elif found.moves_consent:
        yield f"The consent of {former} becomes that of {new}."
    elif found.former in consents:
        yield (
            f"{new} has a consent of its own; that of {former} stays on record, without photos. "
            f"Remove it with: collector forget {former}"
        )
    if found.keeps_former:
        photos = "1 removed photo keeps" if trashed == 1 else f"{trashed} removed photos keep"
        yield f"{photos} the subject {former}: `collector forget` has to be given both."
