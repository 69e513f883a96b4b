"""Photos that are cut out of a picture or frame: one for each face that is wanted.

All faces of one picture are of one moment, light and place, and the crops around them overlap: they
are one group, so that no part of a picture that is trained on is tested on.
"""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from maskage.dataset.importing.import_report import ImportReport
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, FaceFinder, crop_face
from maskage.pictures.images import encode_jpeg
from maskage.pictures.perceptual_hash import hash_crop
from maskage.pictures.quality import measure_quality
from maskage.records import FaceBox, Photo, RgbImage

FACE_CHOICES = ("largest", "all")
"""The faces of a picture or frame that become photos."""

_SAME_FACE_IOU = 0.5
"""Overlap from which two boxes of one picture are one face, found by two finders or people."""


@dataclass
class FaceCutter:
    """Cuts the wanted faces out of pictures and frames, and saves each as a photo.

    Attributes:
        finder: Finds the faces.
        takes_all: True to take every face from `SMALLEST_IN_PICTURE_PX` on, and the largest
            whatever its size; False for the largest alone.
    """

    finder: FaceFinder
    takes_all: bool = False
    _boxes: "_KnownBoxes | None" = field(default=None, init=False, repr=False)

    def save(
        self,
        store: PhotoStore,
        pixels: RgbImage,
        photo: Photo,
        *,
        digest: str,
        known: dict[str, str],
        report: ImportReport,
    ) -> None:
        """Save the wanted faces of a picture or frame; count those that are not, and why.

        Args:
            store: The dataset, open.
            pixels: RGB uint8, shape (H, W, 3).
            photo: What is known of the picture. Its subject is that of the largest face.
            digest: Digest of the picture or frame, by which its largest face is known later.
            known: Label of everything imported before, by digest; is brought up to date.
            report: Is brought up to date.
        """
        boxes = self.finder.find(pixels)
        name = photo.source or photo.path
        if not boxes:
            report.faceless += 1
            report.faceless_names.append(name)
            return
        if len(boxes) > 1:
            photo = replace(photo, group=photo.group or scene_group(digest))
        if len(boxes) > 1 and not self.takes_all:
            report.several_faces[name] = len(boxes)
        if self._boxes is None:
            self._boxes = _KnownBoxes(known)
        for number, box in enumerate(boxes if self.takes_all else boxes[:1]):
            if number and box.side_px < SMALLEST_IN_PICTURE_PX:
                report.small_faces[name] = report.small_faces.get(name, 0) + 1
                continue
            one = photo if number == 0 else _other_face(photo, number)
            key = digest if number == 0 else region_digest(digest, box)
            label = known.get(key) or self._boxes.find(digest, box)
            if label is not None:
                _count_known(report, one, label)
                continue
            known[key] = one.label
            self._boxes.add(digest, box, one.label)
            save_crop(store, pixels, one, box, digest=key, report=report)


def save_crop(
    store: PhotoStore,
    pixels: RgbImage,
    photo: Photo,
    box: FaceBox,
    *,
    digest: str,
    report: ImportReport,
) -> None:
    """Save one face of a picture or frame as a photo.

    Args:
        store: The dataset, open.
        pixels: RGB uint8, shape (H, W, 3).
        photo: What is known of the photo.
        box: The face, in pixels of `pixels`.
        digest: Digest by which the face is known later.
        report: Is brought up to date.

    Raises:
        FaceOutsideFrameError: The box lies outside the picture.
    """
    crop = crop_face(pixels, box)
    store.add_encoded(encode_jpeg(crop), with_quality(photo, crop, box), digest)
    report.saved[photo.label] += 1


def with_quality(photo: Photo, crop: RgbImage, box: FaceBox | None) -> Photo:
    """Return a photo with the quality and the perceptual hash of its crop.

    Args:
        photo: The photo.
        crop: RGB uint8, shape (h, w, 3).
        box: The face in the whole picture; None where it was not searched.
    """
    return replace(photo, box=box, quality=measure_quality(crop, box), fingerprint=hash_crop(crop))


def region_digest(digest: str, box: FaceBox) -> str:
    """Return the digest of one face of a picture: that of the picture, and where the face is."""
    return f"{digest}#{box.x},{box.y},{box.width},{box.height}"


def scene_group(digest: str) -> str:
    """Return the name of the group that the faces of one picture are in."""
    return f"picture:{digest[:12]}"


def scale_box(box: FaceBox, stated: tuple[int, int], pixels: RgbImage) -> FaceBox:
    """Return a box of a full picture in the pixels of one that may have been decoded smaller.

    Args:
        box: The face in the full picture.
        stated: Width and height of the full picture, upright, px.
        pixels: RGB uint8, shape (H, W, 3).
    """
    height, width = pixels.shape[:2]
    if (width, height) == stated:
        return box
    across, down = width / stated[0], height / stated[1]
    return FaceBox(
        round(box.x * across),
        round(box.y * down),
        max(1, round(box.width * across)),
        max(1, round(box.height * down)),
        box.score,
    )


class _KnownBoxes:
    """The faces that were imported before, by the picture that they were cut out of."""

    def __init__(self, known: dict[str, str]) -> None:
        self._faces: dict[str, list[tuple[FaceBox, str]]] = defaultdict(list)
        for key, label in known.items():
            digest, _, place = key.rpartition("#")
            if place.count(",") == 3:
                x, y, width, height = map(int, place.split(","))
                self.add(digest, FaceBox(x, y, width, height), label)

    def add(self, digest: str, box: FaceBox, label: str) -> None:
        self._faces[digest].append((box, label))

    def find(self, digest: str, box: FaceBox) -> str | None:
        """Return the label of the face that was taken there; None where none was."""
        faces = self._faces.get(digest, ())
        return next((label for old, label in faces if old.iou(box) >= _SAME_FACE_IOU), None)


def _other_face(photo: Photo, number: int) -> Photo:
    """Return what is known of another face than the largest: it is another person."""
    path = PurePosixPath(photo.path)
    named = path.with_name(f"{path.stem}_face{number + 1}{path.suffix}")
    return replace(photo, path=named.as_posix(), subject=None)


def _count_known(report: ImportReport, photo: Photo, label: str) -> None:
    report.duplicates += 1
    if label != photo.label:
        report.conflicts.append(f"{photo.source}: here {photo.label}, there {label}")
