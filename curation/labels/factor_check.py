"""Check every label: its class against photos of other groups, its mask by a close look.

A doubt says which factor of the scheme seems wrong and what was seen, "mask? nose seems out", how
probable it is that the label is wrong, and what that would cost.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from curation.labels.check import (
    LEAST_SHARE,
    LEAST_SHARE_PLAIN,
    Doubt,
    find_doubtful_labels,
)
from curation.labels.embedding import embed_pictures
from curation.labels.face_views import MaskState
from curation.labels.wearing import STATES, MaskPhotos, WearingFigures, look_at_masks
from maskage.classes.scheme import MASK, MISWORN, NONE, WORN, Scheme
from maskage.console import Progress, no_progress
from maskage.errors import MissingDownloadError
from maskage.faces.finder import SMALLEST_IN_PICTURE_PX, YuNetFinder, obtain_face_model
from maskage.records import RgbImage, Suggestion

MIN_NOT_WORN = 0.55
"""Least probability that a mask is not worn rightly, from which its label is doubtful.

Of 745 photos of masks it flags 64, 47 of them rightly, by eye: 45 of the 55 that somebody had found
before, and two more. Limits chosen on a random half of the groups, as low as 65% right flags allow,
found 85% on the other half with 66% right (ten halves; with masks painted anew 82% and 67%).
"""
MIN_BARE = 0.85
"""The same where no mask seems to be there at all.

Bare faces among which misworn masks are labelled as bare teach that such a mask may be bare.
"""
_LOGIT_SLOPE, _LOGIT_SHIFT = 1.5, -1.6
"""Line from the log odds of painted masks to those of photos, fitted to these 745 by eye.

Painted masks are told apart more easily: of 17 photos at 0.5 to 0.6 three were right, of 14 at 0.8
to 0.9 eleven, of 24 above it all but one. Where it flagged 64 with 47 right, it expects 43.
"""

_WORDS: Mapping[MaskState, str] = {
    MaskState.NOSE_OUT: "nose seems out",
    MaskState.ON_CHIN: "seems on the chin",
    MaskState.BARE: "seems not there",
}


@dataclass(frozen=True)
class LabelledPhotos:
    """The photos whose labels are checked.

    Attributes:
        labels: Class of each photo.
        groups: Group number of each photo.
        scheme: The classes.
        read: Function that reads the face crop of a photo by its index, RGB uint8 (H, W, 3).
        face_model: Path of YuNet's file; None to look for it where the toolchain keeps it.
    """

    labels: Sequence[str]
    groups: Sequence[int]
    scheme: Scheme
    read: Callable[[int], RgbImage]
    face_model: Path | None = None


@dataclass(frozen=True)
class CheckedLabels:
    """The result of checking labels.

    Attributes:
        doubts: The suggested class of each photo whose label is doubtful, by its index.
        notices: Texts for people on what could not be checked.
    """

    doubts: Mapping[int, Suggestion]
    notices: tuple[str, ...] = ()


def check_labels(
    photos: LabelledPhotos, seed: int, progress: Progress = no_progress
) -> CheckedLabels:
    """Check labels by features of whole photos, and those of masks by views of the faces.

    Raises:
        DatasetError: Fewer than two classes come from enough groups.
        EnvironmentProblemError: A face model was named that is not there or cannot be run.
    """
    count = len(photos.labels)
    embedding = embed_pictures(map(photos.read, range(count)), count, progress)
    check = find_doubtful_labels(
        embedding.features,
        photos.labels,
        photos.groups,
        photos.scheme.labels,
        seed,
        least_share=LEAST_SHARE if embedding.notice is None else LEAST_SHARE_PLAIN,
    )
    notices = [text for text in (embedding.notice, check.notice) if text is not None]
    figures = WearingFigures({})
    if embedding.notice is None and has_masks(photos.scheme):
        figures, notice = _look_at_masks(photos, seed, progress)
        notices += [notice] if notice else []
    return CheckedLabels(merge_doubts(photos, check.doubts, figures), tuple(notices))


def has_masks(scheme: Scheme) -> bool:
    """Return whether a scheme has classes of worn masks and of bare faces to paint masks on."""
    return bool(scheme.labels_with(MASK, WORN) and scheme.labels_with(MASK, NONE))


def merge_doubts(
    photos: LabelledPhotos, general: Sequence[Doubt], figures: WearingFigures
) -> dict[int, Suggestion]:
    """Merge the doubts of both checks; where both see a mask, the close look decides on it.

    Returns:
        The suggestion for each doubtful photo, by its index.
    """
    found = {
        doubt.index: Suggestion(doubt.suggested, doubt.wrong, _reason(photos, doubt))
        for doubt in general
    }
    for index, states in figures.states.items():
        probability = 1 - float(states[STATES.index(MaskState.WORN)])
        state = max(_WORDS, key=lambda each: float(states[STATES.index(each)]))
        value = _value_of(state, photos.scheme)
        former = found.get(index)
        start = former.label if former else photos.labels[index]
        label = photos.scheme.sibling(start, MASK, value)
        least = MIN_BARE if state is MaskState.BARE else MIN_NOT_WORN
        if probability > least and label is not None:
            reason = _with_mask(former.reason if former else None, _WORDS[state])
            surest = max(_calibrated(probability), former.confidence if former else 0.0)
            found[index] = Suggestion(label, surest, reason)
    return _with_costs(photos, found)


def _look_at_masks(
    photos: LabelledPhotos, seed: int, progress: Progress
) -> tuple[WearingFigures, str | None]:
    """Return how masks seem to be worn, and a notice where that cannot be seen."""
    try:
        model = photos.face_model or obtain_face_model()
    except MissingDownloadError as fault:
        return WearingFigures({}), (
            f"Misworn masks were not looked for, because that takes the model that finds eyes and "
            f"noses. {fault}"
        )
    finder = YuNetFinder(model, SMALLEST_IN_PICTURE_PX)
    masked, bare = (
        [index for index, label in enumerate(photos.labels) if photos.scheme.has(label, MASK, one)]
        for one in (WORN, NONE)
    )
    looked = MaskPhotos(masked, bare, photos.groups, photos.read)
    figures = look_at_masks(looked, finder, seed, progress)
    if not figures.is_learned:
        return figures, (
            "Misworn masks were not looked for: too few photos of bare faces show a whole face to "
            "paint masks on. Collect more of them."
        )
    if figures.unseen:
        return figures, (
            f"In {figures.unseen} of {len(masked)} photos of masks no whole face was found: how "
            f"these masks are worn was not looked at."
        )
    return figures, None


def _value_of(state: MaskState, scheme: Scheme) -> str:
    """Return the value of the factor mask of a state that is not worn, as for painted masks."""
    if state is MaskState.BARE or MISWORN not in scheme.factors[MASK]:
        return NONE
    return MISWORN


def _reason(photos: LabelledPhotos, doubt: Doubt) -> str | None:
    """Return the factors in which the suggested class differs; None for a plain scheme."""
    given = photos.scheme[photos.labels[doubt.index]].factors
    other = photos.scheme[doubt.suggested].factors
    words = [f"{name}? seems {value}" for name, value in other.items() if value != given[name]]
    return "; ".join(words) or None


def _with_mask(reason: str | None, words: str) -> str:
    """Return a reason with these words on the mask, in the place of others on it."""
    others = [part for part in (reason or "").split("; ") if part]
    rest = [part for part in others if not part.startswith(f"{MASK}? ")]
    return "; ".join([f"{MASK}? {words}", *rest])


def _calibrated(probability: float) -> float:
    """Return the probability that a flag of a mask is right, from that of the close look."""
    clipped = min(max(probability, 1e-6), 1 - 1e-6)
    log_odds = math.log(clipped / (1 - clipped))
    return 1 / (1 + math.exp(-_LOGIT_SLOPE * log_odds - _LOGIT_SHIFT))


def _with_costs(photos: LabelledPhotos, found: Mapping[int, Suggestion]) -> dict[int, Suggestion]:
    """Add to each suggestion what the label costs if it is wrong.

    The cost is the share of the class that is expected to be wrong with it: a burst that is wrong
    as a whole counts as a whole, and a photo of a small class counts more than one of a large one.
    """
    sizes = Counter(photos.labels)
    cells = {
        index: (photos.groups[index], photos.labels[index], each.label)
        for index, each in found.items()
    }
    alike = Counter(cells.values())
    return {
        index: replace(
            each, cost=each.confidence * alike[cells[index]] / sizes[photos.labels[index]]
        )
        for index, each in found.items()
    }
