"""What a dataset holds, and what to shoot next."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from collector.records import LABELS, Label
from collector.store import list_photos


@dataclass(frozen=True)
class DatasetStatus:
    """Counts of one dataset; prints itself as a table.

    Attributes:
        counts: Photos in each class.
        subjects: For each subject, photos in each class. Photos without one are not in it.
        sessions: How many sessions there are.
        target: Photos wanted in each class.
    """

    root: Path
    counts: dict[Label, int]
    subjects: dict[str, dict[Label, int]]
    sessions: int
    target: int

    @property
    def advice(self) -> list[str]:
        """What to shoot next, the most wanted first."""
        lines = [
            f"{self.target - count} more of {label.title}"
            for label, count in sorted(self.counts.items(), key=lambda item: item[1])
            if count < self.target
        ]
        if len(self.subjects) < 3:
            lines.append(
                f"at least 3 people, named with --subject (found {len(self.subjects)}): "
                f"a test is honest only on people the training never saw"
            )
        return lines

    def to_json(self) -> dict[str, object]:
        return {
            "dataset": str(self.root),
            "counts": dict(self.counts),
            "subjects": self.subjects,
            "sessions": self.sessions,
            "target": self.target,
            "next": self.advice,
        }

    def __str__(self) -> str:
        rows = [("", *LABELS, "total")]
        counts = self.counts
        rows += [("photos", *(str(counts[c]) for c in LABELS), str(sum(counts.values())))]
        for subject, of_subject in sorted(self.subjects.items()):
            total = str(sum(of_subject.values()))
            rows.append((subject, *(str(of_subject[label]) for label in LABELS), total))
        width = max(len(row[0]) for row in rows)
        table = [
            f"{row[0]:<{width}}  " + "  ".join(f"{cell:>12}" for cell in row[1:]) for row in rows
        ]
        return "\n".join(
            [
                f"{self.root}: {len(self.subjects)} subjects, {self.sessions} sessions, "
                f"target {self.target} a class",
                *table,
                *(f"next: {line}" for line in self.advice),
            ]
        )


def read_status(root: Path, target: int) -> DatasetStatus:
    """Count what lies in the dataset at `root`; opens it for reading only.

    Raises:
        DatasetError: There is no dataset, or its manifest is damaged.
    """
    photos = list_photos(root)
    counts = Counter(photo.label for photo in photos)
    subjects: dict[str, dict[Label, int]] = {}
    for photo in photos:
        if photo.subject is not None:
            subjects.setdefault(photo.subject, dict.fromkeys(LABELS, 0))[photo.label] += 1
    return DatasetStatus(
        root=root,
        counts={label: counts[label] for label in LABELS},
        subjects=subjects,
        sessions=len({photo.session for photo in photos if photo.session}),
        target=target,
    )
