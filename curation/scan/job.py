"""One task of a scan, wherever it runs: in a thread, a process or on another machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maskage.dataset.photo_scan import FileScan, scan_file


@dataclass(frozen=True)
class Job:
    """One photo to scan: everything that a worker needs, wherever it runs.

    Attributes:
        path: Path of the file, absolute.
        name: Name of it in a message.
        face_model: YuNet's file, where the face is to be found first.
    """

    path: str
    name: str
    face_model: str | None = None


def scan_jobs(jobs: Sequence[Job]) -> list[FileScan]:
    """The map that workers carry out."""
    return [
        scan_file(Path(job.path), job.name, Path(job.face_model) if job.face_model else None)
        for job in jobs
    ]
