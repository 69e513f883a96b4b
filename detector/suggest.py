"""The work of `detector suggest`: a model classifies each photo of a dataset, for the gallery.

Suggestions go into the dataset's manifest; no label changes until a person accepts one. A model
that was trained on these very photos agrees with their labels too readily: it finds wrong keys, not
its own habits.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from detector.corrected_dataset import require_dataset_for
from maskage.classes.scheme import Scheme
from maskage.console import show_progress
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, UnreadableImageError
from maskage.formats.bundle import find_bundle, load_bundle
from maskage.formats.curated.curated_set import list_left_out
from maskage.inference.classifier import Classifier
from maskage.outside_text import join_lines
from maskage.pictures.images import read_image
from maskage.pictures.picture_files import report_left_out
from maskage.records import Photo, RgbImage, Suggestion

BATCH = 32


@dataclass
class SuggestReport:
    """The suggestions of a model for a dataset, counted; it prints itself.

    Attributes:
        root: Path of the dataset.
        scheme: The classes of the dataset.
        agreed: The number of photos whose class the model confirms, by class.
        disputed: The number of the others, by their class and the suggested one.
        confirmed: The number of those whose label a person confirmed against other opinions.
        unreadable: A message for each photo that could not be read.
    """

    root: Path
    scheme: Scheme
    agreed: Counter[str] = field(default_factory=Counter)
    disputed: Counter[tuple[str, str]] = field(default_factory=Counter)
    confirmed: int = 0
    unreadable: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        looked_at = self.agreed.total() + self.disputed.total() + self.confirmed
        lines = [f"{looked_at:>6} photos looked at in {self.root}"]
        lines += [f"{self.agreed[label]:>10} agree: {label}" for label in self.scheme.labels]
        lines.append(f"{self.disputed.total():>6} are taken for another class")
        lines += [
            f"{count:>10} in {label}, taken for {suggested}"
            for (label, suggested), count in self.disputed.most_common()
        ]
        if self.confirmed:
            lines.append(f"{self.confirmed:>6} more are, with a label that is confirmed by you")
        if self.unreadable:
            lines.append(f"{len(self.unreadable):>6} unreadable: `collector doctor` says why")
        lines.append(f"Next: collector review {self.root}, and there d (only disputed), o (order)")
        return join_lines(lines)


def suggest_labels(root: Path, model: Path | None) -> SuggestReport:
    """Classify every photo of a dataset and write the suggestions into its manifest.

    Args:
        root: Path of the dataset.
        model: A run or a bundle folder; None for the newest run.

    Raises:
        DatasetError: The dataset is missing, holds no photo, or has other classes than the model.
        DatasetInUseError: Another program writes to it.
        ModelRefusedError: The model must not be run.
        UsageError: There is no such run.
    """
    if not root.is_dir():
        raise DatasetError(f"No dataset at {root}. Make one with `collector {root}`.")
    bundle = load_bundle(find_bundle(model))
    require_dataset_for(root, bundle.scheme, str(bundle.folder))
    classifier = Classifier(bundle)
    left_out = list_left_out(root, bundle.labels)
    report_left_out(each for each in left_out if each.pictures or not each.is_folder)
    with PhotoStore(root) as store:
        report = SuggestReport(root, store.scheme)
        photos = store.photos()
        if not photos:
            raise DatasetError(f"{root}: no photo in it yet. Take some with `collector {root}`.")
        starts = range(0, len(photos), BATCH)
        for start in show_progress(starts, "looking", len(starts)):
            batch = photos[start : start + BATCH]
            store.suggest(list(_suggest_batch(classifier, root, batch, report)))
    return report


def _suggest_batch(
    classifier: Classifier, root: Path, photos: Sequence[Photo], report: SuggestReport
) -> Iterator[tuple[Photo, Suggestion]]:
    readable: list[Photo] = []
    crops: list[RgbImage] = []
    for photo in photos:
        try:
            crops.append(read_image(root / photo.path))
        except UnreadableImageError as fault:
            report.unreadable.append(str(fault))
        else:
            readable.append(photo)
    for photo, probabilities in zip(readable, classifier.classify(crops), strict=True):
        best = int(probabilities.argmax())
        suggestion = Suggestion(classifier.bundle.labels[best], float(probabilities[best]))
        if suggestion.label == photo.label:
            report.agreed[photo.label] += 1
        elif photo.confirmed == photo.label:
            report.confirmed += 1
        else:
            report.disputed[photo.label, suggestion.label] += 1
        yield photo, suggestion
