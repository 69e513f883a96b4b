"""The contents of a dataset, and advice on what to shoot next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median

from maskage.classes.scheme import Scheme
from maskage.commands.text_table import count_of
from maskage.dataset.class_change_steps import read_settled
from maskage.dataset.doctor.files import list_trash
from maskage.dataset.manifest.reading import count_rows
from maskage.dataset.outside_folders import describe_outside, find_outside
from maskage.dataset.photo_listing import match_photos
from maskage.dataset.status.advice import Advice, give_advice
from maskage.dataset.status.tables import ClassRow, SubjectRow, make_tables
from maskage.errors import DatasetError
from maskage.outside_text import join_lines, path_to_text
from maskage.pictures.quality import find_faults
from maskage.records import Photo
from maskage.shell_words import join_words

SESSIONS_SHOWN = 8
CLASSES_ADVISED = 6
"""Classes below their target that are listed for people, those with the fewest photos first."""


@dataclass(frozen=True)
class ClassStatus:
    """One class.

    Attributes:
        photos: Number of photos.
        measured: Number of photos with quality figures.
        sharpness, brightness: The medians of those; None where there are none.
        faults: Number of photos with each fault of `maskage.pictures.quality.find_faults`.
        weak: Number of photos with any fault.
        flagged: Number of photos flagged for another review.
        disputed: Number of photos that a model takes for another class.
        doubtful: Number of photos that are flagged, disputed, or both.
        trashed: Number of photos in the trash; they are not among `photos`.
    """

    photos: int = 0
    measured: int = 0
    sharpness: float | None = None
    brightness: float | None = None
    faults: dict[str, int] = field(default_factory=dict)
    weak: int = 0
    flagged: int = 0
    disputed: int = 0
    doubtful: int = 0
    trashed: int = 0

    @property
    def weak_share(self) -> float:
        """Weak photos among those that were measured, 0 to 1."""
        return self.weak / self.measured if self.measured else 0.0


@dataclass(frozen=True)
class SessionStatus:
    """One session.

    Attributes:
        session: Its name.
        subjects: The people in it, sorted; empty where no subject is known.
        photos: Number of its photos.
        first, last: When the first and the last were taken; None where unknown.
    """

    session: str
    subjects: tuple[str, ...]
    photos: int
    first: str | None
    last: str | None


@dataclass(frozen=True)
class HandChanges:
    """Changes in the class folders that no program of the toolchain made.

    Attributes:
        moved: Number of photos that were moved or renamed.
        missing: Number of photos that are gone, or that another picture has replaced.
    """

    moved: int = 0
    missing: int = 0


@dataclass(frozen=True)
class DatasetStatus:
    """Figures of one dataset; prints itself as a table.

    Attributes:
        scheme: Its classes.
        classes: The figures of each class, in class order.
        subjects: For each subject, photos in each class. Photos without one are not in it.
        sessions: Every session, the newest first.
        target: Photos wanted in each class that has no target of its own.
        outside: Number of photos in each folder that is no class; they are counted nowhere else.
        by_hand: Changes in the class folders that were made by hand.
    """

    root: Path
    scheme: Scheme
    classes: dict[str, ClassStatus]
    subjects: dict[str, dict[str, int]]
    sessions: tuple[SessionStatus, ...]
    target: int
    outside: Mapping[str, int] = field(default_factory=dict)
    by_hand: HandChanges = HandChanges()

    @property
    def counts(self) -> dict[str, int]:
        """Photos in each class."""
        return {label: of_class.photos for label, of_class in self.classes.items()}

    @property
    def targets(self) -> dict[str, int]:
        """Photos wanted in each class: its own target, or else that of the command."""
        return {each.folder: each.target or self.target for each in self.scheme}

    @property
    def factors(self) -> dict[str, dict[str, int]]:
        """Photos of each value of each factor."""
        return {
            name: {
                value: sum(self.counts[label] for label in self.scheme.labels_with(name, value))
                for value in values
            }
            for name, values in self.scheme.factors.items()
        }

    @property
    def sessions_of(self) -> dict[str, int]:
        """Number of sessions of each subject."""
        found = dict.fromkeys(self.subjects, 0)
        for session in self.sessions:
            for subject in session.subjects:
                found[subject] += 1
        return found

    @property
    def advice(self) -> list[Advice]:
        """Advice on what to shoot next, the most urgent first."""
        return give_advice(
            self.scheme,
            counts=self.counts,
            faults={label: (of.measured, of.faults) for label, of in self.classes.items()},
            subjects=self.subjects,
            sessions_of=self.sessions_of,
            target=self.target,
            doubtful=sum(of.doubtful for of in self.classes.values()),
        )

    def to_json(self) -> dict[str, object]:
        """Return the figures as one object for JSON."""
        return {
            "dataset": path_to_text(str(self.root)),
            "counts": dict(self.counts),
            "subjects": self.subjects,
            "sessions": len(self.sessions),
            "target": self.target,
            "targets": self.targets,
            "factors": self.factors,
            "outside": {path_to_text(name): count for name, count in self.outside.items()},
            "by_hand": asdict(self.by_hand),
            "next": [advice.text for advice in self.advice],
            "classes": {
                label: {**asdict(of_class), "weak_share": of_class.weak_share}
                for label, of_class in self.classes.items()
            },
            "sessions_of": self.sessions_of,
            "session_list": [asdict(session) for session in self.sessions],
            "advice": [asdict(advice) for advice in self.advice],
        }

    def __str__(self) -> str:
        return join_lines(
            [
                f"{self.root}: {count_of(len(self.subjects), 'subject')}, "
                f"{count_of(len(self.sessions), 'session')}, target {self.target} a class"
                + (" without its own" if any(each.target for each in self.scheme) else ""),
                *make_tables(self.scheme, self._class_rows(), self._subject_rows()),
                *_session_lines(self.sessions),
                *self._outside_lines(),
                *self._by_hand_lines(),
                *_advice_lines(self.advice),
            ]
        )

    def _outside_lines(self) -> list[str]:
        if not self.outside:
            return []
        return [f"note: {describe_outside(self.root, self.scheme, self.outside)}."]

    def _by_hand_lines(self) -> list[str]:
        moved, missing = self.by_hand.moved, self.by_hand.missing
        parts = []
        if moved:
            were = "was" if moved == 1 else "were"
            parts.append(f"{count_of(moved, 'photo')} {were} moved or renamed by hand")
        if missing:
            miss = "is" if missing == 1 else "are"
            parts.append(f"{count_of(missing, 'photo')} {miss} gone, or overwritten with another")
        if not parts:
            return []
        command = join_words(["collector", "doctor", str(self.root)])
        return [f"note: {' and '.join(parts)}. `{command}` lists them; --fix records it."]

    def _class_rows(self) -> list[ClassRow]:
        return [
            ClassRow(
                label=label,
                photos=of.photos,
                target=self.targets[label],
                sharpness=of.sharpness,
                brightness=of.brightness,
                weak_share=of.weak_share if of.measured else None,
                flagged=of.flagged,
                disputed=of.disputed,
                trashed=of.trashed,
            )
            for label, of in self.classes.items()
        ]

    def _subject_rows(self) -> list[SubjectRow]:
        sessions_of = self.sessions_of
        return [
            SubjectRow(subject, counts, sessions_of[subject])
            for subject, counts in self.subjects.items()
        ]


def read_status(root: Path, target: int) -> DatasetStatus:
    """Read the state of the dataset at `root`; open it for reading only, and no photo.

    Raises:
        DatasetError: There is no dataset, or its manifest is damaged.
    """
    return read_settled(root, lambda scheme: _read(root, scheme, target))


def _read(root: Path, scheme: Scheme, target: int) -> DatasetStatus:
    known = match_photos(root)
    status = summarise(
        root, scheme, [each.photo for each in known], list_trash(root).values(), target
    )
    rows = sum(count for label, count in count_rows(root).items() if label in scheme)
    with_row = [each for each in known if each.row_path is not None and not each.is_removed]
    by_hand = HandChanges(
        moved=sum(each.row_path != each.photo.path for each in with_row),
        missing=max(0, rows - len(with_row)),
    )
    return replace(status, outside=find_outside(root, scheme), by_hand=by_hand)


def summarise(
    root: Path, scheme: Scheme, photos: Sequence[Photo], trash: Iterable[str], target: int
) -> DatasetStatus:
    """Return the figures of these photos.

    Args:
        root: The dataset.
        scheme: Its classes.
        photos: All that lie in its folders.
        trash: Label of each photo in its trash.
        target: Photos wanted in each class that has no target of its own.

    Raises:
        DatasetError: A photo is of no class: the classes were changed while it was read.
    """
    by_label: dict[str, list[Photo]] = {label: [] for label in scheme.labels}
    subjects: dict[str, dict[str, int]] = {}
    for photo in photos:
        if photo.label not in scheme:
            raise DatasetError(f"{root}: its classes are being changed. Run the command again.")
        by_label[photo.label].append(photo)
        if photo.subject is not None:
            subjects.setdefault(photo.subject, dict.fromkeys(scheme.labels, 0))[photo.label] += 1
    trashed = list(trash)
    return DatasetStatus(
        root=root,
        scheme=scheme,
        classes={
            label: _summarise_class(of_class, trashed.count(label))
            for label, of_class in by_label.items()
        },
        subjects=dict(sorted(subjects.items())),
        sessions=_summarise_sessions(photos),
        target=target,
    )


def _summarise_class(photos: Sequence[Photo], trashed: int) -> ClassStatus:
    qualities = [photo.quality for photo in photos if photo.quality is not None]
    faults: dict[str, int] = {}
    weak = 0
    for quality in qualities:
        found = find_faults(quality)
        weak += bool(found)
        for fault in found:
            faults[fault] = faults.get(fault, 0) + 1
    return ClassStatus(
        photos=len(photos),
        measured=len(qualities),
        sharpness=median(q.sharpness for q in qualities) if qualities else None,
        brightness=median(q.brightness for q in qualities) if qualities else None,
        faults=dict(sorted(faults.items())),
        weak=weak,
        flagged=sum(photo.is_flagged for photo in photos),
        disputed=sum(photo.is_disputed for photo in photos),
        doubtful=sum(photo.is_flagged or photo.is_disputed for photo in photos),
        trashed=trashed,
    )


def _summarise_sessions(photos: Iterable[Photo]) -> tuple[SessionStatus, ...]:
    """The newest first; those whose time nobody knows come last."""
    by_session: dict[str, list[Photo]] = {}
    for photo in photos:
        if photo.session is not None:
            by_session.setdefault(photo.session, []).append(photo)
    sessions = []
    for session, of_session in by_session.items():
        times = sorted(photo.taken_at for photo in of_session if photo.taken_at is not None)
        sessions.append(
            SessionStatus(
                session=session,
                subjects=tuple(sorted({photo.subject for photo in of_session if photo.subject})),
                photos=len(of_session),
                first=times[0] if times else None,
                last=times[-1] if times else None,
            )
        )
    return tuple(sorted(sessions, key=lambda one: (one.last or "", one.session), reverse=True))


def _session_lines(sessions: Sequence[SessionStatus]) -> list[str]:
    """Return the newest few, and how many more there are."""
    lines = []
    for session in sessions[:SESSIONS_SHOWN]:
        taken = (session.first or "")[:16].replace("T", " ") or "time unknown"
        who = ", ".join(session.subjects[:3]) or "nobody named"
        if len(session.subjects) > 3:
            who += f" and {len(session.subjects) - 3} more"
        count = count_of(session.photos, "photo")
        lines.append(f"session {session.session}: {taken}, {who}, {count}")
    if len(sessions) > SESSIONS_SHOWN:
        lines.append(
            f"and {count_of(len(sessions) - SESSIONS_SHOWN, 'older session')} (see --json)"
        )
    return lines


def _advice_lines(advice: Sequence[Advice]) -> list[str]:
    """Return one line for each piece of advice; of many classes, those with the fewest photos."""
    of_classes = [one for one in advice if one.kind == "class"]
    left_out = of_classes[CLASSES_ADVISED:]
    lines = []
    for one in advice:
        if one not in left_out:
            lines.append(f"next: {one.text}")
        elif one is left_out[0]:
            classes = "class is" if len(left_out) == 1 else "classes are"
            lines.append(f"next: {len(left_out)} more {classes} below the target (see --json)")
    return lines
