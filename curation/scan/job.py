"""One task of a scan, wherever it runs: in a thread, a process or on another machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskage.dataset.photo_scan import Sight, look_at


@dataclass(frozen=True)
class Job:
    """One photo to look at: what a worker needs to know, wherever it runs.

    Attributes:
        path: Of the file, absolute.
        name: What to call it in a message.
        face_model: YuNet's file, where the face is to be found first.
    """

    path: str
    name: str
    face_model: str | None = None


def look_at_jobs(jobs: Sequence[Job]) -> list[Sight]:
    """The map that workers carry out."""
    return [
        look_at(Path(job.path), job.name, Path(job.face_model) if job.face_model else None)
        for job in jobs
    ]
