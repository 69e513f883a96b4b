"""A capture session that runs by itself: the demo camera's people, shot into their classes.

It goes the way of the terminal UI: the newest-frame reader, the finder or guide, the quality
check, the store. Only the finger on the key is missing, since the demo camera knows its people.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.demo_camera import DemoCamera
from collector.errors import CameraError
from collector.faces import FaceFinder, crop_face
from collector.quality import find_faults, measure_quality
from collector.reader import NewestFrameReader
from collector.records import Frame, Label, Photo
from collector.store import PhotoStore

# One shot a scene, and short scenes: frames in a row are near-duplicates, which curation would
# set aside.
SCENE_S = 0.5
FPS = 6.0
FRAMES_A_SHOT_LIMIT = 400


@dataclass
class SessionCounts:
    """What became of the frames: nothing is uncounted.

    Attributes:
        saved: Photos in the store.
        refused: Shots that the quality check refused.
        dropped: Frames that the camera gave and nobody looked at.
    """

    saved: int = 0
    refused: int = 0
    dropped: int = 0


def photograph_cast(
    store: PhotoStore, cast: Sequence[str], photos: int, finder: FaceFinder, seed: int = 0
) -> Iterator[SessionCounts]:
    """Photograph every subject of `cast` with and without a mask; yields after each photo.

    Args:
        store: Where the photos go.
        cast: Subject ids of `collector.demo_camera.DEMO_SUBJECTS`.
        photos: How many to take in all, spread evenly over subjects and mask states.
        finder: Finds the face, or guides it.
        seed: Who wears what, how they move, and the light.

    Raises:
        CameraError: A subject never showed what was wanted in a good light.
    """
    counts = SessionCounts()
    wanted = _share_out(photos, len(cast) * 2)
    for number, subject in enumerate(cast):
        quota = {True: wanted[2 * number], False: wanted[2 * number + 1]}
        camera = DemoCamera(
            seed=seed + number, pace=False, cast=[subject], fps=FPS, scene_s=SCENE_S
        )
        with NewestFrameReader(camera) as reader:
            for frame, label in _good_moments(reader, camera, quota, subject):
                if _shoot(store, frame, label, finder, subject, counts) is not None:
                    quota[label.has_mask] -= 1
                    yield counts
            counts.dropped += reader.dropped


def _share_out(total: int, parts: int) -> list[int]:
    """`total` in `parts` whole shares that differ by at most one."""
    return [total // parts + (number < total % parts) for number in range(parts)]


def _good_moments(
    reader: NewestFrameReader, camera: DemoCamera, quota: dict[bool, int], subject: str
) -> Iterator[tuple[Frame, Label]]:
    """Frames that are wanted still, one of each scene, until every quota is filled."""
    frames_a_scene = round(SCENE_S * FPS)
    last_scene = -1
    for _ in itertools.repeat(None, FRAMES_A_SHOT_LIMIT * sum(quota.values())):
        if not any(quota.values()):
            return
        frame = reader.take(timeout_s=10)
        if frame is None:
            raise CameraError(f"{camera.name}: no frame within 10 s.")
        scene = frame.index // frames_a_scene
        (face,) = camera.faces_at(frame.index)
        if scene > last_scene and quota[face.label.has_mask] > 0:
            last_scene = scene
            yield frame, face.label
    raise CameraError(f"{camera.name}: {subject} never stood still in good light. Try --seed.")


def _shoot(
    store: PhotoStore,
    frame: Frame,
    label: Label,
    finder: FaceFinder,
    subject: str,
    counts: SessionCounts,
) -> Photo | None:
    """One press of the shutter: find, crop, check, save."""
    boxes = finder.find(frame.pixels)
    crop = crop_face(frame.pixels, boxes[0]) if boxes else None
    quality = None if crop is None else measure_quality(crop, boxes[0])
    if crop is None or quality is None or find_faults(quality):
        counts.refused += 1
        return None
    counts.saved += 1
    return store.add(
        crop,
        label,
        subject=subject,
        session=f"demo-{subject}",
        source="demo camera",
        box=boxes[0],
        quality=quality,
    )
