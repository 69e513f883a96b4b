"""Photos that are cut out of a picture or frame: one for each face that is wanted."""

from dataclasses import replace

from maskage.dataset.importing.import_report import ImportReport
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import FaceFinder, crop_face
from maskage.pictures.images import encode_jpeg
from maskage.pictures.perceptual_hash import hash_crop
from maskage.pictures.quality import measure_quality
from maskage.records import FaceBox, Photo, RgbImage


def save_face(
    store: PhotoStore,
    pixels: RgbImage,
    photo: Photo,
    finder: FaceFinder,
    digest: str,
    report: ImportReport,
) -> None:
    """Save the largest face of a picture or frame as a photo; count one without a face.

    Args:
        store: The dataset, open.
        pixels: RGB uint8, shape (H, W, 3).
        photo: What is known of the photo.
        finder: Finds the faces.
        digest: Digest of the source, by which it is known later.
        report: Is brought up to date.
    """
    boxes = finder.find(pixels)
    if not boxes:
        report.faceless += 1
        return
    crop = crop_face(pixels, boxes[0])
    store.add_encoded(encode_jpeg(crop), with_quality(photo, crop, boxes[0]), digest)
    report.saved[photo.label] += 1


def with_quality(photo: Photo, crop: RgbImage, box: FaceBox | None) -> Photo:
    """Return a photo with the quality and the perceptual hash of its crop.

    Args:
        photo: The photo.
        crop: RGB uint8, shape (h, w, 3).
        box: The face in the whole picture; None where it was not searched.
    """
    return replace(photo, box=box, quality=measure_quality(crop, box), fingerprint=hash_crop(crop))
