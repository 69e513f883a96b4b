"""The answer of a cluster's worker for a chunk of photos, and the check of it."""

import hashlib
import importlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from curation.scan.cache import VERSION
from maskage.errors import EnvironmentProblemError

if TYPE_CHECKING:
    from curation.scan.job import Job
    from maskage.dataset.photo_scan import FileScan

    ScanJobs = Callable[[Sequence[Job]], list[FileScan]]

_FIGURED_BY = ("PIL", "cv2", "numpy")
"""The libraries that affect the figures of a `FileScan`, besides this project."""


@dataclass(frozen=True)
class WorkerAnswer:
    """The answer of a worker for a chunk.

    Attributes:
        host: Name of its machine.
        versions: Versions of everything that affects the figures, by name.
        missing: A file besides the photos that the machine lacks: the face model; or None.
        sizes: Sizes of the files as it sees them, bytes; None for one that it does not see.
        file_scans: Both in the order of the jobs, and empty where something is missing.
    """

    host: str
    versions: dict[str, str]
    missing: str | None = None
    sizes: list[int | None] = field(default_factory=list)
    file_scans: list["FileScan"] = field(default_factory=list)


def answer_jobs(function: "ScanJobs", jobs: Sequence["Job"]) -> WorkerAnswer:
    """Apply `function` on a worker, and report the versions and files it used."""
    models = {job.face_model for job in jobs if job.face_model is not None}
    missing = next((model for model in sorted(models) if not Path(model).is_file()), None)
    if missing is not None:
        return WorkerAnswer(socket.gethostname(), versions_here(), missing)
    sizes = [_size_of(job) for job in jobs]
    return WorkerAnswer(socket.gethostname(), versions_here(), None, sizes, function(jobs))


@cache
def versions_here() -> dict[str, str]:
    """Return the versions of everything that affects the figures of a `FileScan`, by name."""
    found = {name: str(importlib.import_module(name).__version__) for name in _FIGURED_BY}
    return {"curate's way of looking": str(VERSION)} | found


def require_like_here(jobs: Sequence["Job"], answer: WorkerAnswer) -> None:
    """Refuse what a worker saw where this machine would have seen something else.

    Every file has to be of one size there and here. Whatever is wrong with a file there is looked
    up here by its content, and so is the first of the chunk.

    Raises:
        EnvironmentProblemError: The worker has other versions, lacks the face model or the
            dataset, or has other files under its path.
    """
    here = versions_here()
    other = [
        f"{name} {answer.versions.get(name)} instead of {version}"
        for name, version in here.items()
        if answer.versions.get(name) != version
    ]
    if other:
        raise EnvironmentProblemError(
            f"The worker on {answer.host} would not see what this machine sees: it has "
            f"{', '.join(other)}. Install the same versions there (pip install -c "
            f"requirements.lock), and start it again."
        )
    if answer.missing is not None:
        raise EnvironmentProblemError(
            f"The worker on {answer.host} does not see the face model {answer.missing}. Name one "
            f"with --face-model that every worker sees under the same path."
        )
    for job, size, file_scan in zip(jobs, answer.sizes, answer.file_scans, strict=True):
        is_looked_up = file_scan.fault is not None or job is jobs[0]
        if size == _size_of(job) and not (is_looked_up and file_scan.sha256 != _digest_of(job)):
            continue
        found = "is another file there than here"
        if not file_scan.sha256:
            found = f"{file_scan.fault}, but not here"
        raise EnvironmentProblemError(
            f"The worker on {answer.host} does not see this dataset: {job.path} {found}. Mount "
            f"the folder on every worker under the same path, or leave --scheduler out."
        )


def _size_of(job: "Job") -> int | None:
    try:
        return Path(job.path).stat().st_size
    except OSError:
        return None


def _digest_of(job: "Job") -> str:
    try:
        return hashlib.sha256(Path(job.path).read_bytes()).hexdigest()
    except OSError:
        return ""
