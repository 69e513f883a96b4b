"""Scan every photo of a dataset, except those in the cache.

The work is spread over threads, processes or the machines of a Dask cluster; the result is the
same.
"""

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from curation.scan.cache import FileState, ScanCache
from curation.scan.job import Job, scan_jobs
from curation.scan.workers import Workers
from maskage.dataset.photo_scan import FileScan, PhotoScan, needs_face
from maskage.records import Photo

CHUNK = 16
"""Photos in one task: enough that handing tasks over costs nothing beside the scanning."""
KEEP_EVERY_S = 2.0
"""Seconds between two writes to the cache, from which an interrupted run goes on."""


def scan_photos(
    root: Path,
    photos: Sequence[Photo],
    workers: Workers | None = None,
    face_model: Path | None = None,
    cache: ScanCache | None = None,
) -> Generator[PhotoScan, None, None]:
    """Scan photos and yield them in their order, as they are done.

    Args:
        root: The dataset.
        photos: The photos to scan.
        workers: The workers; one thread a core by default.
        face_model: YuNet's file: find the face first, where the manifest does not know it.
        cache: Sights of earlier runs; those of this run are added.

    Raises:
        EnvironmentProblemError: The cluster cannot be reached, or gave up.
    """
    states = {photo.path: _state_of(root / photo.path) for photo in photos} if cache else {}
    known = {path: cache.get(path, state) for path, state in states.items() if cache and state}
    missing = [photo for photo in photos if known.get(photo.path) is None]
    seen = _scan_missing(root, missing, workers or Workers(), face_model)
    keeper = _Keeper(cache)
    try:
        for photo in photos:
            file_scan = known.get(photo.path)
            if file_scan is None:
                file_scan = next(seen)
                keeper.keep(photo.path, states.get(photo.path), file_scan)
            yield PhotoScan(photo, _with_face_size(file_scan, photo))
    finally:
        seen.close()
        keeper.flush()
    if cache is not None:
        cache.drop_others(photo.path for photo in photos)


def _scan_missing(
    root: Path, photos: Sequence[Photo], workers: Workers, face_model: Path | None
) -> Generator[FileScan, None, None]:
    jobs = [
        Job(
            str(root / photo.path),
            photo.path,
            str(face_model) if face_model is not None and needs_face(photo) else None,
        )
        for photo in photos
    ]
    chunks = [jobs[start : start + CHUNK] for start in range(0, len(jobs), CHUNK)]
    if workers.scheduler is not None:
        from curation.scan.cluster import map_on_cluster

        yield from _flat(map_on_cluster(workers.scheduler, scan_jobs, chunks))
    elif chunks:
        yield from _flat(_map_here(chunks, workers))


def _flat(chunks: Iterable[Sequence[FileScan]]) -> Iterator[FileScan]:
    for chunk in chunks:
        yield from chunk


def _map_here(chunks: Sequence[Sequence[Job]], workers: Workers) -> Iterator[list[FileScan]]:
    count = workers.count or os.cpu_count() or 1
    waiting: deque[Future[list[FileScan]]] = deque()
    with _pool(count, workers.use_processes) as pool:
        try:
            for chunk in chunks:
                waiting.append(pool.submit(scan_jobs, chunk))
                # A bounded queue: what is scanned ahead, not the dataset, sets the memory.
                if len(waiting) > 4 * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _pool(count: int, use_processes: bool) -> Executor:
    if not use_processes:
        return ThreadPoolExecutor(count, thread_name_prefix="scan")
    # A fork would copy the locks of threads that run here.
    return ProcessPoolExecutor(count, multiprocessing.get_context("spawn"))


def _state_of(path: Path) -> FileState | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return FileState(found.st_size, found.st_mtime_ns)


def _with_face_size(file_scan: FileScan, photo: Photo) -> FileScan:
    """The manifest saw the face in its whole frame, and knows its size there."""
    if photo.box is None or photo.box.score <= 0:
        return file_scan
    return replace(file_scan, quality=replace(file_scan.quality, face_px=photo.box.side_px))


class _Keeper:
    """A collector of scans that writes them to the cache now and then."""

    def __init__(self, cache: ScanCache | None) -> None:
        self._cache = cache
        self._waiting: dict[str, tuple[FileState, FileScan]] = {}
        self._kept_s = time.monotonic()

    def keep(self, path: str, state: FileState | None, file_scan: FileScan) -> None:
        # A file that could not be read may be readable tomorrow, unchanged.
        if self._cache is None or state is None or not file_scan.sha256:
            return
        self._waiting[path] = state, file_scan
        if time.monotonic() - self._kept_s > KEEP_EVERY_S:
            self.flush()

    def flush(self) -> None:
        if self._cache is not None and self._waiting:
            self._cache.add(self._waiting)
            self._waiting = {}
        self._kept_s = time.monotonic()
