"""Faces of a video as photos of a dataset: one frame every so many seconds."""

from collections.abc import Iterator
from pathlib import Path

from maskage.cameras.video.video_file import VideoFile
from maskage.dataset.importing.face_crops import save_face
from maskage.dataset.importing.import_report import ImportReport
from maskage.dataset.store import PhotoStore
from maskage.errors import UsageError
from maskage.faces.finder import FaceFinder
from maskage.formats.sums import hash_file
from maskage.outside_text import portable_name
from maskage.records import Photo


def import_video(
    store: PhotoStore,
    path: Path,
    label: str,
    finder: FaceFinder,
    *,
    every_s: float = 0.5,
    subject: str | None = None,
    session: str | None = None,
) -> Iterator[ImportReport]:
    """Import the largest face of one frame every `every_s` seconds; yield the growing report.

    The frames of one video are one session unless another is named: they must not straddle a
    split.

    Args:
        store: The dataset, open.
        path: The video file.
        label: Class of all frames.
        finder: Finds the faces.
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
            next_s += every_s
            source_digest = f"{digest}#{frame.index}"
            if source_digest in known:
                report.duplicates += 1
            else:
                facts = Photo(
                    path=f"{label}/{portable_name(path.stem)}_{frame.index:06d}.jpg",
                    label=label,
                    subject=subject,
                    session=session or f"video:{digest[:12]}",
                    source=f"{path.name}#{frame.index}",
                )
                save_face(store, frame.pixels, facts, finder, source_digest, report)
            yield report
        report.damage = video.damage
        yield report
    finally:
        video.close()
