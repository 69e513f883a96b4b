"""Plan which faces of train get a mask, worn wrongly or rightly, that they do not wear.

On bare faces it is painted; the mask of a masked face is pulled to another place. Val and test stay
as photographed.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import numpy as np

from curation.masks.cloth import can_lend_mask, is_whole_face, shows_chin
from curation.masks.face_frame import FaceFrame
from curation.masks.painting import MaskLender, MaskPainting, Wearing
from curation.masks.skin import LabColor, has_covered_chin, measure_skin
from curation.plan.plan import PlannedPhoto
from curation.plan.variants import VariantNames, variant_of
from curation.settings import PaintingSettings
from maskage.classes.scheme import MASK, MISWORN, NONE, WORN, Scheme
from maskage.console import Progress, no_progress
from maskage.errors import UsageError
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, YuNetFinder
from maskage.pictures.images import read_image

WRONGLY = (Wearing.BELOW_NOSE, Wearing.ON_CHIN)
PULLED = (Wearing.BELOW_NOSE, Wearing.BELOW_NOSE, Wearing.ON_CHIN)
"""Ways of wearing to which the masks of photos are pulled, in turn.

As often as people wear them so: of misworn masks in photographs about 60% are below the nose.
"""
WORN_EVERY = 2
"""Step between the faces that also get a mask worn rightly.

With misworn masks alone, the network would learn that any painted mask is no mask.
"""
EYES_EVERY = 6
"""Step between the bare faces that get a mask over the eyes, and between those that get one above
the mouth.

People rarely wear them so, but half of the misworn masks that a network was surest to be worn left
the mouth free.
"""
DRAWN_EVERY = 2
"""Step between the masks that are drawn; the others are taken from masked photos.

This holds within each class and way of wearing, or the kind of cloth would reveal the label.
"""
COMPARED_FACES = 60
"""Most bare faces of which the most similar one lends its skin to a masked photo."""
_TURN_WEIGHT = 40.0
"""Difference of L* that counts as much as a head turned from the front to the side."""


@dataclass(frozen=True)
class PaintedMasks:
    """The painted masks of a plan.

    Attributes:
        variants: Variants with a mask, sorted by path.
        chosen: Number of bare faces of train that were chosen.
        unseen: Number of those that got no mask because they were not found completely.
        covered: Number of those that got no mask because something covers their chin already.
        masked: Number of masked faces of train that were chosen.
        unpulled: Number of those whose mask was not pulled to another place, because it is not
            shown completely and from the front, or because no bare face can show above it.
        skipped: Number of masks that were left out because no class would fit, by the class of the
            bare face and the value of the factor mask that none has.
    """

    variants: tuple[PlannedPhoto, ...]
    chosen: int
    unseen: int
    covered: int
    masked: int
    unpulled: int
    skipped: Mapping[tuple[str, str], int]


@dataclass(frozen=True, eq=False)
class _BareFace:
    """A bare face that can show above the mask of a photo.

    Attributes:
        lender: Its photo.
        skin: Colour of its skin.
        turn: Turn of its head, -1 to 1.
    """

    lender: MaskLender
    skin: LabColor
    turn: float


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


def can_paint(scheme: Scheme) -> bool:
    """Return whether a scheme has classes of bare faces and classes of worn masks."""
    if MASK not in scheme.factors:
        return False
    return bool(scheme.labels_with(MASK, NONE)) and bool(scheme.labels_with(MASK, WORN))


def plan_painted_masks(
    root: Path,
    photos: Sequence[PlannedPhoto],
    scheme: Scheme,
    settings: PaintingSettings,
    *,
    seed: int,
    progress: Progress = no_progress,
) -> PaintedMasks:
    """Plan variants of the faces of train with a mask worn in another way.

    A mask worn rightly moves a bare face into the class that differs in that alone. So does a mask
    below the nose, on the chin or over the eyes where the scheme knows misworn masks; elsewhere it
    leaves the face in its class, without a mask. Half of these masks are drawn, half are taken from
    masked photos of train that show them from the front. Such photos also have their own mask
    pulled down, which moves them into the class that differs in that alone; a bare face of train
    shows above it.

    Args:
        root: Path of the dataset.
        photos: Every photo of the dataset, planned and split.
        scheme: Classes of the dataset, of which some are bare (see `require_bare_classes`).
        settings: Share of the faces, and the model that finds eyes, nose and mouth.
        seed: Seed that chooses the faces and the masks.
        progress: Shows the photos as they are searched for faces.

    Returns:
        The variants, named `<stem>__nose<N>.jpg`, `__chin<N>`, `__eyes<N>`, `__mouth<N>` and
        `__worn<N>`. Faces that are not found completely get none.

    Raises:
        EnvironmentProblemError: The face model cannot be run.
        UnreadableImageError: A photo was changed or removed since it was scanned.
    """
    finder = YuNetFinder(settings.face_model, SMALLEST_IN_PICTURE_PX)
    return _Planner(root, photos, scheme, finder, seed).plan(settings.share, progress)


class _Planner:
    """A collector of the variants of one plan; the arguments are those of `plan_painted_masks`."""

    def __init__(
        self,
        root: Path,
        photos: Sequence[PlannedPhoto],
        scheme: Scheme,
        finder: YuNetFinder,
        seed: int,
    ) -> None:
        self._root, self._photos, self._scheme, self._seed = root, photos, scheme, seed
        self._finder = finder
        self._names = VariantNames([photo.path for photo in photos])
        self._found: dict[str, MaskLender | None] = {}
        self._lenders = self._lend_in_turn(scheme.labels_with(MASK, WORN))
        self._bare: dict[str, list[_BareFace]] = {}
        self._variants: list[PlannedPhoto] = []
        self._faces: Counter[str] = Counter()
        self._cloths: Counter[tuple[str, Wearing]] = Counter()
        self._skipped: Counter[tuple[str, str]] = Counter()
        self._unseen = self._covered = self._unpulled = 0

    def plan(self, share: float, progress: Progress) -> PaintedMasks:
        """Return the plan for a share of the faces of each class."""
        bare = self._choose_each(self._scheme.labels_with(MASK, NONE), share)
        masked = self._choose_each(self._scheme.labels_with(MASK, WORN), share)
        for photo in progress(bare, "finding faces to put masks on", len(bare)):
            self._paint_on(photo)
        for photo in progress(masked, "finding masks to pull down", len(masked)):
            self._pull_down(photo)
        return PaintedMasks(
            variants=tuple(sorted(self._variants, key=lambda photo: photo.path)),
            chosen=len(bare),
            unseen=self._unseen,
            covered=self._covered,
            masked=len(masked),
            unpulled=self._unpulled,
            skipped=self._skipped,
        )

    def _choose_each(self, labels: Iterable[str], share: float) -> list[PlannedPhoto]:
        chosen = (_choose(self._photos, [label], share, self._seed) for label in labels)
        return [photo for each in chosen for photo in each]

    def _paint_on(self, photo: PlannedPhoto) -> None:
        """Plan the masks that are painted on one bare face."""
        pixels = read_image(self._root / photo.path)
        landmarks = next(iter(self._finder.find_landmarks(pixels)), None)
        if landmarks is None or not is_whole_face(pixels, landmarks):
            self._unseen += 1
            return
        if has_covered_chin(pixels, landmarks):
            self._covered += 1
            return
        frame = FaceFrame(landmarks)
        face = _BareFace(MaskLender(photo.path, landmarks), measure_skin(frame, pixels), frame.turn)
        self._bare.setdefault(photo.label, []).append(face)
        turn, self._faces[photo.label] = self._faces[photo.label], self._faces[photo.label] + 1
        for wearing in _ways(turn, shows_chin=shows_chin(pixels, landmarks)):
            if (label := self._label(photo, wearing)) is None:
                continue
            is_drawn = self._cloths[label, wearing] % DRAWN_EVERY == 0
            self._cloths[label, wearing] += 1
            lender = None if is_drawn else next(self._lenders, None)
            self._add(photo, label, MaskPainting(wearing, landmarks, lender))

    def _pull_down(self, photo: PlannedPhoto) -> None:
        """Plan the places to which the mask of one photo is pulled."""
        masked = self._find_mask(photo)
        bare_label = self._scheme.sibling(photo.label, MASK, NONE)
        bare = self._bare.get(bare_label or "", [])
        if masked is None or not bare:
            self._unpulled += 1
            return
        lender = self._most_similar(masked, bare)
        turn, self._faces[photo.label] = self._faces[photo.label], self._faces[photo.label] + 1
        ways = [PULLED[turn % len(PULLED)]]
        if turn % WORN_EVERY == 0:
            ways.append(Wearing.WORN)
        for wearing in ways:
            if (label := self._label(photo, wearing)) is not None:
                painting = MaskPainting(wearing, masked.landmarks, lender, is_pulled=True)
                self._add(photo, label, painting)

    def _label(self, photo: PlannedPhoto, wearing: Wearing) -> str | None:
        """Return the class of a face with a mask worn in a way; count those that have none."""
        value = _value_of(wearing, self._scheme)
        if self._scheme.has(photo.label, MASK, value):
            return photo.label
        label = self._scheme.sibling(photo.label, MASK, value)
        if label is None:
            self._skipped[photo.label, value] += 1
        return label

    def _add(self, photo: PlannedPhoto, label: str, painting: MaskPainting) -> None:
        path = self._names.name(photo, label, painting.wearing)
        self._variants.append(variant_of(photo, path, label, painting))

    def _most_similar(self, masked: MaskLender, bare: list[_BareFace]) -> MaskLender:
        """Return the face, of some drawn by the seed, with the most similar skin and turn."""
        frame = FaceFrame(masked.landmarks)
        skin = measure_skin(frame, read_image(self._root / masked.path))
        draw = random.Random(f"{self._seed} bare {masked.path}")
        compared = draw.sample(bare, min(COMPARED_FACES, len(bare)))

        def difference(face: _BareFace) -> float:
            turned = abs(abs(face.turn) - abs(frame.turn))
            return float(np.abs(face.skin - skin).sum()) + _TURN_WEIGHT * turned

        return min(compared, key=difference).lender

    def _find_mask(self, photo: PlannedPhoto) -> MaskLender | None:
        """Return a masked photo with its face if it shows its mask completely, else None."""
        if photo.path not in self._found:
            pixels = read_image(self._root / photo.path)
            landmarks = next(iter(self._finder.find_landmarks(pixels)), None)
            shows = landmarks is not None and can_lend_mask(pixels, landmarks)
            lender = MaskLender(photo.path, landmarks) if landmarks and shows else None
            self._found[photo.path] = lender
        return self._found[photo.path]

    def _lend_in_turn(self, masked: Iterable[str]) -> Iterator[MaskLender]:
        """Yield masked photos that can lend their masks, over and over; nothing if none can."""
        found = []
        for photo in _choose(self._photos, masked, 1.0, self._seed):
            if (lender := self._find_mask(photo)) is not None:
                found.append(lender)
                yield lender
        yield from cycle(found)


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
    if turn % EYES_EVERY == 0:
        yield Wearing.OVER_EYES
    if turn % EYES_EVERY == EYES_EVERY // 2:
        yield Wearing.ABOVE_MOUTH


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
