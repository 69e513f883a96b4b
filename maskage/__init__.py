"""The library behind collector, curate, trainer and detector, for your own scripts.

Read frames, find faces and crop them:

    >>> import maskage
    >>> frame = next(maskage.read_frames("demo"))
    >>> finder = maskage.GuideFinder()
    >>> crops = [maskage.crop_face(frame.pixels, box) for box in finder.find(frame.pixels)]
    >>> crops[0].shape[2]
    3

Classify the faces of a picture file, or of an array (RGB uint8):

    model = maskage.FaceClassifier("runs/mine")
    for face in model.classify("photo.jpg"):
        print(face.label, face.title, f"{face.confidence:.0%}", face.box)

A label is the name of a class folder. What else is known of a class, its scheme says; a folder
without a `classes.toml` has the four classes of masks and ages:

    >>> scheme = maskage.read_scheme("a folder without classes.toml")
    >>> scheme.labels
    ('mask_old', 'mask_young', 'nomask_old', 'nomask_young')
    >>> scheme.title("nomask_old"), scheme.value("nomask_old", "mask")
    ('no mask, old', 'none')
    >>> scheme.labels_with("age", "old")
    ('mask_old', 'nomask_old')

Read what the tools have written:

    photos = maskage.list_photos("data")
    scheme = maskage.read_scheme("data")
    curated = maskage.read_curated("curated")
    run = maskage.RunFolder("runs/mine")

The names in `maskage.__all__` are public: before one of them goes, it warns for a minor version.
All other modules are private and may change. A name is loaded when it is first used, so
`import maskage` itself takes a few milliseconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any
from warnings import warn

from maskage.system.paths import keep_library_caches
from maskage.telemetry import switch_off_telemetry

# Before any other library is imported, in every command, worker process and script.
switch_off_telemetry()
keep_library_caches()

if TYPE_CHECKING:
    from maskage.cameras.sources import open_camera, read_frames
    from maskage.classes.scheme import PhotoClass, Scheme
    from maskage.dataset.photo_listing import list_photos
    from maskage.errors import ToolchainError
    from maskage.faces.finder import GuideFinder, YuNetFinder, crop_face, open_face_finder
    from maskage.formats.classes.classes_file import read_scheme
    from maskage.formats.curated.curated_set import CuratedDataset, CuratedPhoto, read_curated
    from maskage.formats.run.run_folder import RunFolder
    from maskage.inference.picture_faces import ClassifiedFace, FaceClassifier
    from maskage.pictures.images import encode_jpeg, read_image
    from maskage.records import FaceBox, Frame, Photo

_HOMES = {
    "ClassifiedFace": "inference.picture_faces",
    "CuratedDataset": "formats.curated.curated_set",
    "CuratedPhoto": "formats.curated.curated_set",
    "FaceBox": "records",
    "FaceClassifier": "inference.picture_faces",
    "Frame": "records",
    "GuideFinder": "faces.finder",
    "Photo": "records",
    "PhotoClass": "classes.scheme",
    "Scheme": "classes.scheme",
    "read_scheme": "formats.classes.classes_file",
    "RunFolder": "formats.run.run_folder",
    "ToolchainError": "errors",
    "YuNetFinder": "faces.finder",
    "crop_face": "faces.finder",
    "encode_jpeg": "pictures.images",
    "list_photos": "dataset.photo_listing",
    "open_camera": "cameras.sources",
    "open_face_finder": "faces.finder",
    "read_curated": "formats.curated.curated_set",
    "read_frames": "cameras.sources",
    "read_image": "pictures.images",
}
"""The module of `maskage` that defines each public name."""

_RETIRED = {"LABELS": "read_scheme(FOLDER).labels", "Label": "str"}
"""Names that were public until labels became plain text, and what to use today."""

__all__ = [
    "ClassifiedFace",
    "CuratedDataset",
    "CuratedPhoto",
    "FaceBox",
    "FaceClassifier",
    "Frame",
    "GuideFinder",
    "Photo",
    "PhotoClass",
    "RunFolder",
    "Scheme",
    "ToolchainError",
    "YuNetFinder",
    "crop_face",
    "encode_jpeg",
    "list_photos",
    "open_camera",
    "open_face_finder",
    "read_curated",
    "read_frames",
    "read_image",
    "read_scheme",
]


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name in _RETIRED:
        warn(
            f"maskage.{name} goes with the next minor version: use {_RETIRED[name]}.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(import_module("maskage.classes.four_labels"), name)
    if name not in _HOMES:
        raise AttributeError(f"module 'maskage' has no attribute {name!r}")
    return getattr(import_module(f"maskage.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted({*globals(), *__all__})
