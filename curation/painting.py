"""Which photos get a painted mask: bare faces of train, as misworn ones and as masked ones.

Val and test stay as photographed.
"""

import random
from collections.abc import Sequence
from pathlib import Path

from collector.console import Progress, no_progress
from collector.faces import SMALLEST_IN_PICTURE_PX, YuNetFinder
from collector.images import read_image
from collector.records import Label
from curation.mask_painting import MaskPainting, Wearing
from curation.plan import PlannedPhoto
from curation.settings import PaintingSettings
from curation.variants import VariantNames, variant_of

MISWORN = (Wearing.BELOW_NOSE, Wearing.ON_CHIN)
WORN_EVERY = 2
"""One in so many painted faces also gets a mask that is worn: with misworn ones alone the network
would learn that a painted mask is none."""


def plan_painted_masks(
    root: Path,
    photos: Sequence[PlannedPhoto],
    settings: PaintingSettings,
    seed: int,
    progress: Progress = no_progress,
) -> list[PlannedPhoto]:
    """Plan variants of the bare faces of train with a mask painted on, sorted by path.

    A mask below the nose or on the chin leaves a face without one; a worn one moves it into the
    masked class of its age.

    Args:
        root: The dataset.
        photos: Every photo of it, planned and split.
        settings: How many, and who finds eyes, nose and mouth.
        seed: Chooses the faces.
        progress: Shows the photos being looked at.

    Returns:
        The variants, named `<stem>__nose<N>.jpg`, `__chin<N>` and `__worn<N>`. Faces that are not
        found get none.

    Raises:
        EnvironmentProblemError: The face model cannot be run.
        UnreadableImageError: A photo has changed or gone since it was looked at.
    """
    finder = YuNetFinder(settings.face_model, SMALLEST_IN_PICTURE_PX)
    names = VariantNames([photo.path for photo in photos])
    chosen = [
        parent
        for label in (Label.NOMASK_OLD, Label.NOMASK_YOUNG)
        for parent in _choose(photos, label, settings.share, seed)
    ]
    painted: list[PlannedPhoto] = []
    done = {Label.NOMASK_OLD: 0, Label.NOMASK_YOUNG: 0}
    for parent in progress(chosen, "finding faces to paint masks on", len(chosen)):
        found = finder.find_landmarks(read_image(root / parent.path))
        if not found:
            continue
        turn = done[parent.label]
        done[parent.label] += 1
        ways = [MISWORN[turn % len(MISWORN)]]
        # After both ways to wear one wrongly, so that each meets its worn counterpart.
        ways += [Wearing.WORN] if turn // len(MISWORN) % WORN_EVERY == 0 else []
        for wearing in ways:
            label = Label.of(has_mask=wearing is Wearing.WORN, is_old=parent.label.is_old)
            path = names.name(parent, label, wearing)
            painted.append(variant_of(parent, path, label, MaskPainting(wearing, found[0])))
    return sorted(painted, key=lambda photo: photo.path)


def _choose(
    photos: Sequence[PlannedPhoto], label: Label, share: float, seed: int
) -> list[PlannedPhoto]:
    of_label = [p for p in photos if p.kept and p.split == "train" and p.label is label]
    order = sorted(of_label, key=lambda photo: photo.path)
    random.Random(f"{seed} painted {label}").shuffle(order)
    return order[: round(share * len(order))]
