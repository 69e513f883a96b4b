"""A capture session that runs by itself: the demo camera's people, shot into their classes.

It goes the way of the terminal UI: the newest-frame reader, the finder or guide, the quality
check, the store. Only the finger on the key is missing, since the demo camera knows its people.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maskage.cameras.newest_frame import NewestFrameReader
from maskage.classes.scheme import Scheme
from maskage.dataset.store import PhotoStore
from maskage.demo.camera import DEMO_SUBJECTS, DemoCamera, DemoFace
from maskage.demo.scenes import mask_states
from maskage.errors import CameraError
from maskage.faces.finder import FaceFinder, crop_face
from maskage.pictures.quality import find_faults, measure_quality
from maskage.records import Frame, Photo

# One shot a scene, and short scenes: frames in a row are near-duplicates, which curation would
# set aside.
SCENE_S = 0.5
FPS = 4.0


@dataclass
class SessionCounts:
    """The fate of every frame of a session.

    Attributes:
        saved: Number of photos in the store.
        refused: Number of shots that the quality check refused.
        dropped: Number of frames that the camera gave and nothing used.
    """

    saved: int = 0
    refused: int = 0
    dropped: int = 0


def photograph_cast(
    store: PhotoStore, cast: Sequence[str], photos: int, finder: FaceFinder, seed: int = 0
) -> Iterator[SessionCounts]:
    """Photograph every subject of `cast` in each of their classes; yield after each photo.

    Args:
        store: The dataset that gets the photos; its classes are made of masks and ages.
        cast: Subject ids of `maskage.demo.camera.DEMO_SUBJECTS`.
        photos: Number of photos to take in all, spread evenly over subjects and states of the mask.
        finder: Finds the face, or guides it.
        seed: Decides who wears what, how they move, and the light.

    Raises:
        CameraError: A subject never stood still in good light.
    """
    counts, scheme = SessionCounts(), store.scheme
    quota = _share_out(photos, cast, scheme)
    rounds = len(mask_states(scheme))
    for sitting in itertools.count():
        names = [name for name in cast if any(quota[name, label] for label in scheme.labels)]
        if not names:
            return
        before = counts.saved
        camera = DemoCamera(
            seed=seed + sitting, pace=False, cast=names, fps=FPS, scene_s=SCENE_S, scheme=scheme
        )
        with NewestFrameReader(camera) as reader:
            for frame, face in _one_moment_a_scene(reader, camera, rounds * len(names)):
                label = face.label
                if label is None or not quota[face.subject_id, label]:
                    continue
                if _shoot(store, frame, label, face.subject_id, finder, counts) is not None:
                    quota[face.subject_id, label] -= 1
                    yield counts
            counts.dropped += reader.dropped
        if counts.saved == before:
            raise CameraError(
                f"{camera.name}: {', '.join(names)} never stood still in good light. "
                f"Try another --seed."
            )


def _share_out(photos: int, cast: Sequence[str], scheme: Scheme) -> Counter[tuple[str, str]]:
    """Return the number of photos of each subject in each class; they differ by one at most."""
    people = {subject.subject_id: subject for subject in DEMO_SUBJECTS}
    parts = [
        (name, label)
        for name in cast
        for state in mask_states(scheme)
        if (label := people[name].label(scheme, state)) is not None
    ]
    return Counter(itertools.islice(itertools.cycle(parts), photos))


def _one_moment_a_scene(
    reader: NewestFrameReader, camera: DemoCamera, scenes: int
) -> Iterator[tuple[Frame, DemoFace]]:
    """Yield the first frame of each of the first scenes; a round has as many as the cast."""
    frames_a_scene = round(SCENE_S * FPS)
    last_scene = -1
    while last_scene < scenes - 1:
        frame = reader.take(timeout_s=10)
        if frame is None:
            raise CameraError(f"{camera.name}: no frame within 10 s.")
        scene = frame.index // frames_a_scene
        if scene > last_scene:
            last_scene = scene
            (face,) = camera.faces_at(frame.index)
            yield frame, face


def _shoot(
    store: PhotoStore,
    frame: Frame,
    label: str,
    subject: str,
    finder: FaceFinder,
    counts: SessionCounts,
) -> Photo | None:
    """Find, crop, check and save one face, as a press of the shutter does."""
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
        session=f"session-{subject}",
        source="demo camera",
        box=boxes[0],
        quality=quality,
    )
