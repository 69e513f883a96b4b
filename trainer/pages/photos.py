"""The parts of a page that are photos: the matrix, mistakes, the least certain, twins, variants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.predictions_file import Prediction
from maskage.pages.page import Card, fill
from maskage.pages.parts import shrink
from maskage.pictures.images import read_image
from trainer.data.pixels import PixelReader
from trainer.evaluation.evaluated_photos import EvaluatedPhotos
from trainer.evaluation.findings import Findings
from trainer.evaluation.leak_check import LeakCheck, Twin
from trainer.pages.embedded_photos import TEMPLATE, PictureShelf
from trainer.pages.gradcam import draw_overlay, open_maps

if TYPE_CHECKING:
    from markupsafe import Markup

    # It draws variants, with libraries that a page does not need.
    from trainer.pages.training_preview import TrainingPreview

MOST_IN_A_CELL = 48
MOST_MISTAKES = 24
MOST_UNSURE = 24
MOST_TWINS = 24

BLUE, RED = "63,111,181", "179,57,47"


@dataclass(frozen=True)
class _Answer:
    """An answer as the page shows it.

    Attributes:
        picture: The photo's element.
        path: The photo's name.
        predicted, actual: Title of the class.
        is_right: These are the same.
        sure, chance: Probability of the predicted and of the actual class, in percent.
        maps: Elements of the maps that speak for the two classes; empty without maps.
    """

    picture: "Markup"
    path: str
    predicted: str
    actual: str
    is_right: bool
    sure: str
    chance: str
    maps: Sequence["Markup"] = ()


@dataclass(frozen=True)
class _Cell:
    """A cell of the matrix: `share` is its part of the row, `strength` that of its colour."""

    name: str
    actual: str
    predicted: str
    is_right: bool
    count: int
    share: float
    photos: Sequence[_Answer]

    @property
    def colour(self) -> str:
        return BLUE if self.is_right else RED

    @property
    def strength(self) -> float:
        return max(0.04, min(1.0, self.share if self.is_right else 2.5 * self.share))

    @property
    def is_dark(self) -> bool:
        # White letters are hard to read on a paler cell.
        return self.strength > 0.85


def matrix_card(judged: EvaluatedPhotos, shelf: PictureShelf) -> Card:
    """Return what was taken for what; each count opens its photos."""
    rows = [
        [_cell(judged, shelf, actual, predicted) for predicted in MASK_AGE.labels]
        for actual in MASK_AGE.labels
    ]
    titles = [MASK_AGE.title(label) for label in MASK_AGE.labels]
    cells = [cell for row in rows for cell in row if cell.count]
    body = fill(TEMPLATE, "matrix", titles=titles, rows=rows, cells=cells)
    return Card("matrix", "What was taken for what", body)


def mistakes_card(found: Findings, shelf: PictureShelf) -> Card:
    """Return the surest wrong answers, each with the maps of the class said and the right one."""
    judged = found.judged
    wrong = judged.mistakes
    shown = wrong[:MOST_MISTAKES]
    maps = _draw_maps(found, shown, shelf) if len(shown) else {}
    photos = [_answer(judged, at, shelf, maps.get(at, ())) for at in shown]
    body = fill(TEMPLATE, "mistakes", wrong=len(wrong), total=len(judged.photos), photos=photos)
    return Card("mistakes", "The worst mistakes", body)


def unsure_card(judged: EvaluatedPhotos, shelf: PictureShelf) -> Card:
    """Return the answers of least confidence, right or wrong."""
    shown = judged.least_certain[:MOST_UNSURE]
    photos = [_answer(judged, at, shelf) for at in shown]
    body = fill(TEMPLATE, "unsure", photos=photos, right=int(judged.is_right[shown].sum()))
    return Card("unsure", "The least certain", body)


def twins_card(found: Findings, shelf: PictureShelf, unknown: str = "") -> Card:
    """Return near-duplicates of tested photos among those learned from.

    Args:
        found: The answers, with the search for near-duplicates where there was one.
        shelf: Gathers the pictures.
        unknown: The reason why near-duplicates were not searched for, if they were not.
    """
    title = "Near-duplicates between train and test"
    leak = found.leak
    if leak is None:
        body = fill(TEMPLATE, "unknown_twins", reason=unknown) if unknown else ""
        return Card("twins", title, body)
    # Same files are alike to look at: a few of them, for the others to have room.
    same = [twin for twin in leak.twins if twin.is_same_file][: MOST_TWINS // 2]
    near = [twin for twin in leak.twins if not twin.is_same_file][: MOST_TWINS - len(same)]
    body = fill(
        TEMPLATE,
        "twins",
        leak=leak,
        near=len(leak.twins) - leak.same_files,
        scores=_scores(found.judged, leak),
        pairs=[_twin(found, twin, shelf) for twin in (*same, *near)],
        hidden=len(leak.twins) - len(same) - len(near),
    )
    return Card("twins", title, body)


def preview_card(preview: "TrainingPreview | None", shelf: PictureShelf) -> Card:
    """Return training photos as training saw them."""
    if preview is None:
        return Card("variants", "As training sees them", "")
    rows = []
    for each in preview.photos:
        name = each.photo.path.name
        varied = [shelf.show_pixels(pixels, f"{name}, varied") for pixels in each.variants]
        rows.append((MASK_AGE.title(each.photo.label), shelf.show(each.photo.path, name), varied))
    body = fill(TEMPLATE, "variants", note=preview.note, rows=rows)
    return Card("variants", "As training sees them", body)


def _cell(judged: EvaluatedPhotos, shelf: PictureShelf, actual: str, predicted: str) -> _Cell:
    """Return a cell with its photos: the surest mistakes first, or the least sure right answers."""
    row, column = MASK_AGE.index(actual), MASK_AGE.index(predicted)
    counts = judged.evaluation.confusion[row]
    members = [
        at
        for at in judged.least_certain
        if judged.predictions[at].actual == actual and judged.predictions[at].predicted == predicted
    ]
    if actual is not predicted:
        members.reverse()
    return _Cell(
        name=f"cell-{row}-{column}",
        actual=MASK_AGE.title(actual),
        predicted=MASK_AGE.title(predicted),
        is_right=actual is predicted,
        count=counts[column],
        share=counts[column] / max(1, sum(counts)),
        photos=[_answer(judged, at, shelf) for at in members[:MOST_IN_A_CELL]],
    )


def _answer(
    judged: EvaluatedPhotos, at: int, shelf: PictureShelf, maps: Sequence["Markup"] = ()
) -> _Answer:
    each = judged.predictions[at]
    return _Answer(
        picture=shelf.show(judged.photos[at].path, each.path),
        path=each.path,
        predicted=_title(each.predicted),
        actual=_title(each.actual),
        is_right=each.is_right,
        sure=f"{judged.confidence[at]:.0%}",
        chance=f"{_chance(each):.0%}",
        maps=maps,
    )


def _draw_maps(
    found: Findings, shown: Sequence[int], shelf: PictureShelf
) -> dict[int, list["Markup"]]:
    """Draw the maps of the class said and the right one of each mistake; empty without maps."""
    maps = open_maps(found.model)
    if maps is None:
        return {}
    photos = [found.judged.photos[at] for at in shown]
    reader = PixelReader(found.size, kept_bytes=0)
    added = maps.compute(np.stack([reader.read(photo) for photo in photos]))
    names = list(MASK_AGE.labels)
    drawn = {}
    for number, at in enumerate(shown):
        each = found.judged.predictions[at]
        plain = shrink(read_image(photos[number].path))
        drawn[at] = [
            shelf.show_pixels(
                draw_overlay(plain, added[number, names.index(name)]),
                f"what speaks for {_title(name)}",
            )
            for name in (each.predicted, each.actual)
        ]
    return drawn


def _chance(each: Prediction) -> float:
    """Return the probability of the right class."""
    return each.probabilities[list(MASK_AGE.labels).index(each.actual)]


def _scores(judged: EvaluatedPhotos, leak: LeakCheck) -> tuple[float, float] | None:
    """Return the accuracy on photos with a near-duplicate and on the others, if there are any."""
    has_twin = np.zeros(leak.tested, bool)
    has_twin[[twin.tested for twin in leak.twins]] = True
    if has_twin.all() or not has_twin.any():
        return None
    return float(judged.is_right[has_twin].mean()), float(judged.is_right[~has_twin].mean())


def _twin(found: Findings, twin: Twin, shelf: PictureShelf) -> dict[str, object]:
    tested, learned = found.judged.photos[twin.tested], found.learned[twin.learned]
    name = found.judged.predictions[twin.tested].path
    split = learned.path.parent.parent.name
    bits = f"{twin.bits} bits away{', mirrored' if twin.is_mirrored else ''}"
    return {
        "tested": shelf.show(tested.path, name),
        "tested_title": MASK_AGE.title(tested.label),
        "tested_path": name,
        "learned": shelf.show(learned.path, learned.path.name),
        "learned_title": MASK_AGE.title(learned.label),
        "learned_path": f"{split}/{learned.label}/{learned.path.name}",
        "split": split,
        "distance": "the same file" if twin.is_same_file else bits,
    }


def _title(name: str) -> str:
    return MASK_AGE.title(name)
