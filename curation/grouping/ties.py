"""What ties photos together that nobody recorded: people named by files, and guessed sessions."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from curation.caveats import KnownPeople
from curation.grouping.guessed_sessions import guess_sessions
from curation.settings import AUTO, NAMES, CurationSettings
from maskage.dataset.person_names import PersonNames, find_people
from maskage.errors import DatasetError
from maskage.pictures.picture_kinds import has_picture_name
from maskage.records import Photo

MOST_REFUTED = 0.1
"""Share of the names that may name several known subjects, by a slip or a name that two share."""


@dataclass(frozen=True)
class Ties:
    """What ties the photos of a dataset together besides what its manifest knows.

    Attributes:
        people: Person whom each photo's name names, by path; without photos of known subjects.
        sessions: Number of each photo's guessed session, by path.
        names: What the names name; None where they name nobody, or are not used.
        offered: What they may name, where that is not clear enough to be used without being asked.
    """

    people: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)
    names: PersonNames | None = None
    offered: PersonNames | None = None

    @cached_property
    def session_count(self) -> int:
        """Number of guessed sessions."""
        return len(set(self.sessions.values()))


def count_known(photos: Sequence[Photo], ties: Ties) -> KnownPeople:
    """Count the photos that say who they show; a guessed session says nothing of its person."""
    subjects = sum(photo.subject is not None for photo in photos)
    names = sum(photo.path in ties.people for photo in photos)
    others = sum(
        bool(photo.session or photo.group)
        for photo in photos
        if photo.subject is None and photo.path not in ties.people
    )
    return KnownPeople(len(photos), subjects, names, others)


def find_ties(photos: Sequence[Photo], settings: CurationSettings) -> Ties:
    """Find what ties photos together besides what the manifest knows.

    A subject that the manifest knows wins over a name, and a person over a guessed session.

    Args:
        photos: All photos of the dataset, sorted by path.
        settings: Settings of the user.

    Raises:
        DatasetError: The user asks for people by their names, and the names name nobody.
    """
    names = offered = None
    if settings.people in (AUTO, NAMES):
        names = _find_people(photos, is_asked=settings.people == NAMES)
        if names is None and settings.people == NAMES:
            raise DatasetError(
                f"--people names: the names of these {len(photos)} photos do not name people "
                f"(the first is {photos[0].path if photos else 'none'}). Names like anna_003.jpg, "
                f"s01-2.jpg or 00042_Mask.jpg do. Leave --people out, or name the people in a "
                f"table: `collector import SOURCE --metadata TABLE`."
            )
        if names is None:
            offered = _find_people(photos, is_asked=True)
    people = {
        photo.path: key
        for photo, key in zip(photos, names.keys if names else (), strict=names is not None)
        if key is not None and photo.subject is None
    }
    unknown = [
        photo
        for photo in photos
        if not (photo.subject or photo.session or photo.group or photo.path in people)
    ]
    guessed = guess_sessions(unknown, settings.session_gap * 60) if settings.session_gap else []
    sessions = {
        photo.path: number
        for photo, number in zip(unknown, guessed, strict=bool(guessed))
        if number is not None
    }
    return Ties(people, sessions, names, offered)


def name_at_source(photo: Photo) -> str:
    """Return the path whose names may name a person: that of its source where it was imported."""
    source = photo.source
    return source if source and has_picture_name(source.rpartition("/")[2]) else photo.path


def _find_people(photos: Sequence[Photo], *, is_asked: bool) -> PersonNames | None:
    names = [name_at_source(photo) for photo in photos]
    labels = [photo.label for photo in photos]
    found = find_people(names, labels, is_asked=is_asked)
    return None if found is None or _is_refuted(photos, found) else found


def _is_refuted(photos: Sequence[Photo], found: PersonNames) -> bool:
    """Return whether known subjects say that the names do not name people."""
    subjects: dict[str, set[str]] = defaultdict(set)
    for photo, key in zip(photos, found.keys, strict=True):
        if key is not None and photo.subject is not None:
            subjects[key].add(photo.subject)
    several = Counter(len(of_key) > 1 for of_key in subjects.values())
    return several[True] > MOST_REFUTED * max(1, several.total())
