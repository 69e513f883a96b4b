"""Find, cut out and classify the faces of a picture together."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from maskage.classes.scheme import Scheme
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, FaceFinder, crop_face, open_face_finder
from maskage.formats.bundle import ModelBundle, find_bundle, load_bundle
from maskage.inference.classifier import Classifier
from maskage.inference.onnx_engine import Answers
from maskage.pictures.images import read_image
from maskage.records import FaceBox, RgbImage


class UnsureReason(StrEnum):
    """Why the answer to a face is unsure."""

    UNFAMILIAR = "unfamiliar"
    CONFIDENCE = "confidence"


def find_unsure_reason(*, is_sure: bool, is_familiar: bool) -> UnsureReason | None:
    """Return why an answer is unsure; that a face is unfamiliar comes first. None if it is sure."""
    if is_sure:
        return None
    return UnsureReason.CONFIDENCE if is_familiar else UnsureReason.UNFAMILIAR


@dataclass(frozen=True)
class ClassifiedFace:
    """One face of a picture.

    Attributes:
        box: Place of the face in the upright picture, px.
        probabilities: One for each class, in the order of `labels`.
        unsure_below: Threshold of the bundle, 0 to 1.
        scheme: Classes of the bundle.
        strangeness: How unlike the faces that were learned it is; None where the bundle does not
            measure it.
        strange_above: Strangeness above which a face is unfamiliar; None as before.
    """

    box: FaceBox
    probabilities: tuple[float, ...]
    unsure_below: float
    scheme: Scheme
    strangeness: float | None = None
    strange_above: float | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The class folders, in the order of the probabilities."""
        return self.scheme.labels

    @property
    def title(self) -> str:
        """The name of the most probable class for people: "mask, old"."""
        return self.scheme.title(self.label)

    @property
    def label(self) -> str:
        """The most probable class: the name of its folder."""
        return self.labels[max(range(len(self.labels)), key=self.probabilities.__getitem__)]

    @property
    def confidence(self) -> float:
        """The largest probability, 0 to 1."""
        return max(self.probabilities)

    @property
    def is_sure(self) -> bool:
        """True if the confidence reaches the bundle's threshold, and the face is familiar."""
        return self.confidence >= self.unsure_below and self.is_familiar

    @property
    def is_familiar(self) -> bool:
        """False if the face is unlike those that were learned, as a hand or a drawing is."""
        if self.strangeness is None or self.strange_above is None:
            return True
        return self.strangeness <= self.strange_above

    @property
    def unsure_reason(self) -> UnsureReason | None:
        """Why the answer is unsure; None where it is sure."""
        return find_unsure_reason(is_sure=self.is_sure, is_familiar=self.is_familiar)


class FaceClassifier:
    """A trained model with a face finder, which turns pictures into classified faces.

    Not thread-safe: a finder serves one thread.

    Args:
        model: A run or a bundle folder; None for the newest run in `runs`.
        runs: Folder of the runs.
        face_model: A copy of YuNet; None for `$FACE_MODEL`, the cached copy, or a download. If
            there is none, the guide in the middle of the picture is classified, and `notice` says
            so.

    Raises:
        EnvironmentProblemError: There is no trained model.
        ModelRefusedError: The model is damaged or unsafe.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        runs: str | Path = "runs",
        face_model: str | Path | None = None,
    ) -> None:
        folder = find_bundle(None if model is None else Path(model), Path(runs))
        self._classifier = Classifier(load_bundle(folder))
        self._finder = open_face_finder(
            None if face_model is None else Path(face_model), SMALLEST_IN_PICTURE_PX
        )

    @property
    def notice(self) -> str | None:
        """A line on what the finder cannot do, or None."""
        return self._finder.notice

    def classify(self, picture: RgbImage | str | Path) -> tuple[ClassifiedFace, ...]:
        """Find and classify the faces of a picture, largest first.

        Args:
            picture: RGB uint8, shape (H, W, 3), or a picture file.

        Raises:
            UnreadableImageError: The file is not a picture, or is damaged.
        """
        pixels = read_image(Path(picture)) if isinstance(picture, str | Path) else picture
        return classify_faces(pixels, self._finder, self._classifier)


def classify_faces(
    pixels: RgbImage, finder: FaceFinder, classifier: Classifier
) -> tuple[ClassifiedFace, ...]:
    """Find the faces of a picture and classify them in one batch, largest first.

    Args:
        pixels: RGB uint8, shape (H, W, 3).
        finder: Finder of the faces.
        classifier: Classifier of the crops.
    """
    boxes = finder.find(pixels)
    margin = classifier.bundle.crop_margin
    answers = classifier.answer([crop_face(pixels, box, margin) for box in boxes])
    return name_faces(boxes, answers, classifier.bundle)


def name_faces(
    boxes: Sequence[FaceBox], answers: Answers, bundle: ModelBundle
) -> tuple[ClassifiedFace, ...]:
    """Put boxes and a bundle's answers to their crops together, in the same order."""
    strange = answers.strangeness
    return tuple(
        ClassifiedFace(
            box,
            tuple(float(part) for part in row),
            bundle.unsure_below,
            bundle.scheme,
            strangeness=None if strange is None else float(strange[at]),
            strange_above=bundle.strange_above,
        )
        for at, (box, row) in enumerate(zip(boxes, answers.probabilities, strict=True))
    )
