"""Plan which bare faces of train get a painted mask, worn wrongly or rightly.

Val and test stay as photographed.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from pathlib import Path

from curation.masks.cloth import can_lend_mask, is_whole_face, shows_chin
from curation.masks.painting import MaskLender, MaskPainting, Wearing
from curation.plan.plan import PlannedPhoto
from curation.plan.variants import VariantNames, variant_of
from curation.settings import PaintingSettings
from maskage.classes.ready_made import MASK_AGE
from maskage.classes.scheme import MASK, NONE, WORN
from maskage.console import Progress, no_progress
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, YuNetFinder
from maskage.pictures.images import read_image

BARE = ("nomask_old", "nomask_young")
MISWORN = (Wearing.BELOW_NOSE, Wearing.ON_CHIN)
WORN_EVERY = 2
"""Step between the faces that also get a mask worn rightly.

With misworn masks alone, the network would learn that any painted mask is no mask.
"""
DRAWN_EVERY = 2
"""Step between the masks that are drawn; the others are taken from masked photos.

This holds within each class and way of wearing, or the kind of cloth would reveal the label.
"""


def plan_painted_masks(
    root: Path,
    photos: Sequence[PlannedPhoto],
    settings: PaintingSettings,
    seed: int,
    progress: Progress = no_progress,
) -> list[PlannedPhoto]:
    """Plan variants of the bare faces of train with a painted mask.

    A mask below the nose or on the chin leaves the class without a mask; a mask worn rightly moves
    the face into the masked class of its age. Half of the masks are drawn, half are taken from
    masked photos of train that show them from the front.

    Args:
        root: Path of the dataset.
        photos: Every photo of the dataset, planned and split.
        settings: Share of the faces, and the model that finds eyes, nose and mouth.
        seed: Seed that chooses the faces and the masks.
        progress: Shows the photos as they are searched for faces.

    Returns:
        The variants, sorted by path, named `<stem>__nose<N>.jpg`, `__chin<N>` and `__worn<N>`.
        Faces that are not found completely get none.

    Raises:
        EnvironmentProblemError: The face model cannot be run.
        UnreadableImageError: A photo was changed or removed since it was scanned.
    """
    finder = YuNetFinder(settings.face_model, SMALLEST_IN_PICTURE_PX)
    names = VariantNames([photo.path for photo in photos])
    masked = [label for label in MASK_AGE.labels if MASK_AGE.has(label, MASK, WORN)]
    lenders = _lend_in_turn(root, finder, _choose(photos, masked, 1.0, seed))
    chosen = [parent for label in BARE for parent in _choose(photos, [label], settings.share, seed)]
    painted: list[PlannedPhoto] = []
    faces: Counter[str] = Counter()
    cloths: Counter[tuple[str, Wearing]] = Counter()
    for parent in progress(chosen, "finding faces to put masks on", len(chosen)):
        pixels = read_image(root / parent.path)
        landmarks = next(iter(finder.find_landmarks(pixels)), None)
        if landmarks is None or not is_whole_face(pixels, landmarks):
            continue
        turn, faces[parent.label] = faces[parent.label], faces[parent.label] + 1
        for wearing in _ways(turn, shows_chin=shows_chin(pixels, landmarks)):
            label = (
                MASK_AGE.sibling(parent.label, MASK, WORN if wearing is Wearing.WORN else NONE)
                or parent.label
            )
            is_drawn = cloths[label, wearing] % DRAWN_EVERY == 0
            cloths[label, wearing] += 1
            lender = None if is_drawn else next(lenders, None)
            painting = MaskPainting(wearing, landmarks, lender)
            path = names.name(parent, label, wearing)
            painted.append(variant_of(parent, path, label, painting))
    return sorted(painted, key=lambda photo: photo.path)


def wanted_faces(photos: Sequence[PlannedPhoto], share: float) -> int:
    """Return the number of bare faces of train that are chosen for painting."""
    labels = Counter(p.label for p in photos if p.kept and p.split == "train")
    return sum(round(share * labels[label]) for label in BARE)


def _ways(turn: int, *, shows_chin: bool) -> Iterator[Wearing]:
    """Yield how the masks of one face are worn."""
    wrongly = MISWORN[turn % len(MISWORN)]
    yield wrongly if shows_chin else Wearing.BELOW_NOSE
    # After both ways of wearing it wrongly, so that each has its counterpart.
    if turn // len(MISWORN) % WORN_EVERY == 0:
        yield Wearing.WORN


def _choose(
    photos: Sequence[PlannedPhoto], labels: Iterable[str], share: float, seed: int
) -> list[PlannedPhoto]:
    """Choose a share of the photos of some classes of train, in an order from the seed."""
    wanted = set(labels)
    found = [p for p in photos if p.kept and p.split == "train" and p.label in wanted]
    order = sorted(found, key=lambda photo: photo.path)
    random.Random(f"{seed} painted {sorted(wanted)}").shuffle(order)
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
