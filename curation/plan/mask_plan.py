"""Plan which bare faces of train get a painted mask, worn wrongly or rightly.

Val and test stay as photographed.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from curation.masks.cloth import can_lend_mask, is_whole_face, shows_chin
from curation.masks.painting import MaskLender, MaskPainting, Wearing
from curation.plan.plan import PlannedPhoto
from curation.plan.variants import VariantNames, variant_of
from curation.settings import PaintingSettings
from maskage.classes.scheme import MASK, MISWORN, NONE, WORN, Scheme
from maskage.console import Progress, no_progress
from maskage.errors import UsageError
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, YuNetFinder
from maskage.pictures.images import read_image

WRONGLY = (Wearing.BELOW_NOSE, Wearing.ON_CHIN)
WORN_EVERY = 2
"""Step between the faces that also get a mask worn rightly.

With misworn masks alone, the network would learn that any painted mask is no mask.
"""
DRAWN_EVERY = 2
"""Step between the masks that are drawn; the others are taken from masked photos.

This holds within each class and way of wearing, or the kind of cloth would reveal the label.
"""


@dataclass(frozen=True)
class PaintedMasks:
    """The painted masks of a plan.

    Attributes:
        variants: Variants with a mask, sorted by path.
        chosen: Number of bare faces of train that were chosen.
        unseen: Number of those that got no mask because they were not found completely.
        skipped: Number of masks that were left out because no class would fit, by the class of the
            bare face and the value of the factor mask that none has.
    """

    variants: tuple[PlannedPhoto, ...]
    chosen: int
    unseen: int
    skipped: Mapping[tuple[str, str], int]


def require_bare_classes(scheme: Scheme) -> None:
    """Check that a scheme has classes of bare faces, on which masks can be painted.

    Raises:
        UsageError: It has none.
    """
    if not scheme.labels_with(MASK, NONE):
        found = (
            f"their factor mask has the values {', '.join(scheme.factors[MASK])}"
            if MASK in scheme.factors
            else "they have no factor mask"
        )
        raise UsageError(
            f"--paint-masks paints on photos of classes with mask = none, and no class of this "
            f"dataset is one: {found}. Leave --paint-masks out, or say in classes.toml which "
            f"classes have mask = worn and which mask = none."
        )


def plan_painted_masks(
    root: Path,
    photos: Sequence[PlannedPhoto],
    scheme: Scheme,
    settings: PaintingSettings,
    *,
    seed: int,
    progress: Progress = no_progress,
) -> PaintedMasks:
    """Plan variants of the bare faces of train with a painted mask.

    A mask worn rightly moves the face into the class that differs in that alone. So does a mask
    below the nose or on the chin where the scheme knows misworn masks; elsewhere it leaves the face
    in its class, without a mask. Half of the masks are drawn, half are taken from masked photos of
    train that show them from the front.

    Args:
        root: Path of the dataset.
        photos: Every photo of the dataset, planned and split.
        scheme: Classes of the dataset, of which some are bare (see `require_bare_classes`).
        settings: Share of the faces, and the model that finds eyes, nose and mouth.
        seed: Seed that chooses the faces and the masks.
        progress: Shows the photos as they are searched for faces.

    Returns:
        The variants, named `<stem>__nose<N>.jpg`, `__chin<N>` and `__worn<N>`. Faces that are not
        found completely get none.

    Raises:
        EnvironmentProblemError: The face model cannot be run.
        UnreadableImageError: A photo was changed or removed since it was scanned.
    """
    finder = YuNetFinder(settings.face_model, SMALLEST_IN_PICTURE_PX)
    names = VariantNames([photo.path for photo in photos])
    masked, bare = scheme.labels_with(MASK, WORN), scheme.labels_with(MASK, NONE)
    lenders = _lend_in_turn(root, finder, _choose(photos, masked, 1.0, seed))
    chosen = [parent for label in bare for parent in _choose(photos, [label], settings.share, seed)]
    painted: list[PlannedPhoto] = []
    faces: Counter[str] = Counter()
    cloths: Counter[tuple[str, Wearing]] = Counter()
    skipped: Counter[tuple[str, str]] = Counter()
    unseen = 0
    for parent in progress(chosen, "finding faces to put masks on", len(chosen)):
        pixels = read_image(root / parent.path)
        landmarks = next(iter(finder.find_landmarks(pixels)), None)
        if landmarks is None or not is_whole_face(pixels, landmarks):
            unseen += 1
            continue
        turn, faces[parent.label] = faces[parent.label], faces[parent.label] + 1
        for wearing in _ways(turn, shows_chin=shows_chin(pixels, landmarks)):
            value = _value_of(wearing, scheme)
            label = scheme.sibling(parent.label, MASK, value)
            if label is None:
                skipped[parent.label, value] += 1
                continue
            is_drawn = cloths[label, wearing] % DRAWN_EVERY == 0
            cloths[label, wearing] += 1
            lender = None if is_drawn else next(lenders, None)
            painting = MaskPainting(wearing, landmarks, lender)
            path = names.name(parent, label, wearing)
            painted.append(variant_of(parent, path, label, painting))
    painted.sort(key=lambda photo: photo.path)
    return PaintedMasks(tuple(painted), len(chosen), unseen, skipped)


def _value_of(wearing: Wearing, scheme: Scheme) -> str:
    """Return the value of the factor mask that a face has with a mask worn in this way."""
    if wearing is Wearing.WORN:
        return WORN
    return MISWORN if MISWORN in scheme.factors[MASK] else NONE


def _ways(turn: int, *, shows_chin: bool) -> Iterator[Wearing]:
    """Yield how the masks of one face are worn."""
    wrongly = WRONGLY[turn % len(WRONGLY)]
    yield wrongly if shows_chin else Wearing.BELOW_NOSE
    # After both ways of wearing it wrongly, so that each has its counterpart.
    if turn // len(WRONGLY) % WORN_EVERY == 0:
        yield Wearing.WORN


def _choose(
    photos: Sequence[PlannedPhoto], labels: Iterable[str], share: float, seed: int
) -> list[PlannedPhoto]:
    """Choose a share of the photos of some classes of train, in an order from the seed."""
    wanted = set(labels)
    found = [p for p in photos if p.kept and p.split == "train" and p.label in wanted]
    order = sorted(found, key=lambda photo: photo.path)
    # The words of earlier versions, in which labels were an enum: the same seed, the same choice.
    names = ", ".join(f"<Label.{label.upper()}: {label!r}>" for label in sorted(wanted))
    random.Random(f"{seed} painted [{names}]").shuffle(order)
    return order[: round(share * len(order))]


def _lend_in_turn(
    root: Path, finder: YuNetFinder, masked: Iterable[PlannedPhoto]
) -> Iterator[MaskLender]:
    """Yield masked photos that can lend their masks, over and over; nothing if none can."""
    found = []
    for photo in masked:
        pixels = read_image(root / photo.path)
        landmarks = next(iter(finder.find_landmarks(pixels)), None)
        if landmarks is not None and can_lend_mask(pixels, landmarks):
            lender = MaskLender(photo.path, landmarks)
            found.append(lender)
            yield lender
    yield from cycle(found)
