"""The parts of a page that are photos: the matrix, mistakes, the least certain, twins, variants."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maskage.classes.scheme import Scheme
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
MOST_WIDE_CLASSES = 8
"""Most classes of a matrix with wide cells and whole names above them."""

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
    labels, members = judged.scheme.labels, _sort_answers(judged)
    rows = [
        [_cell(judged, shelf, (actual, predicted), members) for predicted in labels]
        for actual in labels
    ]
    body = fill(
        TEMPLATE,
        "matrix",
        classes=judged.scheme.classes,
        rows=rows,
        cells=[cell for row in rows for cell in row if cell.count],
        is_dense=len(labels) > MOST_WIDE_CLASSES,
    )
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
    title = f"Near-duplicates between train and {'test' if found.is_tested else 'val'}"
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
        is_tested=found.is_tested,
    )
    return Card("twins", title, body)


def preview_card(preview: "TrainingPreview | None", shelf: PictureShelf, scheme: Scheme) -> Card:
    """Return training photos as training saw them."""
    if preview is None:
        return Card("variants", "As training sees them", "")
    rows = []
    for each in preview.photos:
        name = each.photo.path.name
        varied = [shelf.show_pixels(pixels, f"{name}, varied") for pixels in each.variants]
        rows.append((scheme.title(each.photo.label), shelf.show(each.photo.path, name), varied))
    body = fill(TEMPLATE, "variants", note=preview.note, rows=rows)
    return Card("variants", "As training sees them", body)


def _sort_answers(judged: EvaluatedPhotos) -> dict[tuple[str, str], list[int]]:
    """Return the answers of each cell, the least sure first, by actual and predicted class."""
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    for at in judged.least_certain:
        each = judged.predictions[at]
        members[each.actual, each.predicted].append(at)
    return members


def _cell(
    judged: EvaluatedPhotos,
    shelf: PictureShelf,
    place: tuple[str, str],
    members: Mapping[tuple[str, str], Sequence[int]],
) -> _Cell:
    """Return a cell with its photos: the surest mistakes first, or the least sure right answers."""
    scheme, (actual, predicted) = judged.scheme, place
    row, column = scheme.index(actual), scheme.index(predicted)
    counts = judged.evaluation.confusion[row]
    is_right = row == column
    found = members.get(place, ())
    shown = found if is_right else found[::-1]
    return _Cell(
        name=f"cell-{row}-{column}",
        actual=scheme.title(actual),
        predicted=scheme.title(predicted),
        is_right=is_right,
        count=counts[column],
        share=counts[column] / max(1, sum(counts)),
        photos=[_answer(judged, at, shelf) for at in shown[:MOST_IN_A_CELL]],
    )


def _answer(
    judged: EvaluatedPhotos, at: int, shelf: PictureShelf, maps: Sequence["Markup"] = ()
) -> _Answer:
    each = judged.predictions[at]
    return _Answer(
        picture=shelf.show(judged.photos[at].path, each.path),
        path=each.path,
        predicted=judged.scheme.title(each.predicted),
        actual=judged.scheme.title(each.actual),
        is_right=each.is_right,
        sure=f"{judged.confidence[at]:.0%}",
        chance=f"{each.probabilities[judged.scheme.index(each.actual)]:.0%}",
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
    scheme = found.judged.scheme
    drawn = {}
    for number, at in enumerate(shown):
        each = found.judged.predictions[at]
        plain = shrink(read_image(photos[number].path))
        drawn[at] = [
            shelf.show_pixels(
                draw_overlay(plain, added[number, scheme.index(name)]),
                f"what speaks for {scheme.title(name)}",
            )
            for name in (each.predicted, each.actual)
        ]
    return drawn


def _scores(judged: EvaluatedPhotos, leak: LeakCheck) -> tuple[float, float] | None:
    """Return the accuracy on photos with a near-duplicate and on the others, if there are any."""
    has_twin = np.zeros(leak.tested, bool)
    has_twin[[twin.tested for twin in leak.twins]] = True
    if has_twin.all() or not has_twin.any():
        return None
    return float(judged.is_right[has_twin].mean()), float(judged.is_right[~has_twin].mean())


def _twin(found: Findings, twin: Twin, shelf: PictureShelf) -> dict[str, object]:
    tested, learned = found.judged.photos[twin.tested], found.learned[twin.learned]
    name, scheme = found.judged.predictions[twin.tested].path, found.judged.scheme
    split = learned.path.parent.parent.name
    bits = f"{twin.bits} bits away{', mirrored' if twin.is_mirrored else ''}"
    return {
        "tested": shelf.show(tested.path, name),
        "tested_title": scheme.title(tested.label),
        "tested_path": name,
        "learned": shelf.show(learned.path, learned.path.name),
        "learned_title": scheme.title(learned.label),
        "learned_path": f"{split}/{learned.label}/{learned.path.name}",
        "split": split,
        "distance": "the same file" if twin.is_same_file else bits,
    }
