"""Faces of a video as photos of a dataset: one frame every so many seconds."""

from collections.abc import Iterator
from pathlib import Path

from maskage.cameras.video.video_file import VideoFile
from maskage.dataset.importing.face_crops import FaceCutter
from maskage.dataset.importing.import_report import ImportReport
from maskage.dataset.store import PhotoStore
from maskage.errors import UsageError
from maskage.formats.sums import hash_file
from maskage.outside_text import portable_name
from maskage.records import Photo


def import_video(
    store: PhotoStore,
    path: Path,
    label: str,
    faces: FaceCutter,
    *,
    every_s: float = 0.5,
    subject: str | None = None,
    session: str | None = None,
) -> Iterator[ImportReport]:
    """Import the faces of one frame every `every_s` seconds; yield the growing report.

    The frames of one video are one session unless another is named: they must not straddle a
    split.

    Args:
        store: The dataset, open.
        path: The video file.
        label: Class of all frames.
        faces: Cuts the wanted faces out of each frame.
        every_s: Seconds of the video between two frames that are imported.
        subject: Subject of all frames.
        session: Session of all frames; None for one named after the video's content.

    Raises:
        CameraError: `path` is not a video, or none of its frames can be read.
        UsageError: `path` is a pipe, or may not be read.
    """
    if not path.is_file():
        # An import is known by the content of its file, and a pipe can be read only once.
        raise UsageError(
            f"{path}: not a file. Write what comes through it to a file, and import that."
        )
    report = ImportReport(dict.fromkeys(store.scheme.labels, 0))
    known = store.imported_digests()
    digest = hash_file(path)
    if digest is None:
        raise UsageError(f"{path}: cannot be read. Check who may read it, then import it again.")
    video = VideoFile(path, pace=False)
    next_s = 0.0
    try:
        while (frame := video.read()) is not None:
            if frame.position_s + 1e-9 < next_s:
                continue
            next_s = _next_due(next_s, frame.position_s, every_s)
            source_digest = f"{digest}#{frame.index}"
            if source_digest in known and not faces.takes_all:
                report.duplicates += 1
            else:
                facts = Photo(
                    path=f"{label}/{portable_name(path.stem)}_{frame.index:06d}.jpg",
                    label=label,
                    subject=subject,
                    session=session or f"video:{digest[:12]}",
                    source=f"{path.name}#{frame.index}",
                )
                faces.save(
                    store, frame.pixels, facts, digest=source_digest, known=known, report=report
                )
            yield report
        report.damage = video.damage
        yield report
    finally:
        video.close()


def _next_due(due_s: float, taken_s: float, every_s: float) -> float:
    """Return the time from which the next frame is taken.

    Frames stay on the beat of `every_s`, so that none drifts; behind a pause of the recording the
    beat begins anew, and two frames are never closer than half of it.

    Args:
        due_s: Time from which the frame just taken was due, in seconds of the video.
        taken_s: Time of that frame.
        every_s: Seconds between two frames.
    """
    if taken_s - due_s >= every_s:
        return taken_s + every_s
    return max(due_s + every_s, taken_s + every_s / 2)
