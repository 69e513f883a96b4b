"""The parts of a page that are photos: the matrix, mistakes, the least certain, twins, variants."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from maskage.formats.predictions_file import Prediction
from maskage.pages.page import Card
from maskage.pages.parts import escape
from maskage.pictures.images import read_image
from maskage.records import LABELS, Label
from trainer.data.pixels import PixelReader
from trainer.evaluation.evaluated_photos import EvaluatedPhotos
from trainer.evaluation.findings import Findings
from trainer.evaluation.leak_check import LeakCheck, Twin
from trainer.pages.embedded_photos import PictureShelf, shrink
from trainer.pages.gradcam import draw_overlay, open_maps

if TYPE_CHECKING:
    # It draws variants, with libraries that a page does not need.
    from trainer.pages.training_preview import TrainingPreview

MOST_IN_A_CELL = 48
MOST_MISTAKES = 24
MOST_UNSURE = 24
MOST_TWINS = 24


def matrix_card(judged: EvaluatedPhotos, shelf: PictureShelf) -> Card:
    """What was taken for what; each count opens its photos."""
    heads = "".join(f"<th>{escape(label.title)}</th>" for label in LABELS)
    rows, panels = [], []
    for row, actual in enumerate(LABELS):
        cells = []
        total = max(1, sum(judged.evaluation.confusion[row]))
        for column, predicted in enumerate(LABELS):
            count = judged.evaluation.confusion[row][column]
            cells.append(_cell(row, column, count, count / total))
            if count:
                panels.append(_panel(judged, shelf, actual, predicted))
        rows.append(f"<tr><th>{escape(actual.title)}</th>{''.join(cells)}</tr>")
    body = (
        "<p>Rows are what the photos are, columns what they were taken for. A count opens its "
        'photos.</p><div class="scroll"><table class="matrix"><thead><tr><th></th>'
        f"{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>{''.join(panels)}"
    )
    return Card("matrix", "What was taken for what", body)


def mistakes_card(found: Findings, shelf: PictureShelf) -> Card:
    """The surest wrong answers, each with the maps of the class said and of the right one."""
    judged = found.judged
    wrong = judged.mistakes
    if not wrong:
        return Card("mistakes", "The worst mistakes", f"<p>None of {len(judged.photos):,}.</p>")
    shown = wrong[:MOST_MISTAKES]
    overlays = _draw_overlays(found, shown, shelf)
    told = f"<p>{len(wrong):,} of {len(judged.photos):,} answers are wrong; the surest come first."
    if len(wrong) > len(shown):
        told += f" These are {len(shown)}, the matrix above has the others."
    told += "</p>"
    if overlays:
        note = (
            "Beside each photo: what speaks for the class it was taken for, then for the class it "
            "is; the brighter, the more. The classifier behind the last maps is linear, so these "
            "are exact (class activation maps, Zhou et al. 2016; Grad-CAM, Selvaraju et al. 2017, "
            "gives the same here); each is scaled to its own maximum, and is as coarse as those "
            "maps. A plain grey one: nothing does."
        )
    else:
        note = "No Grad-CAM: this model is not an average of maps with a linear head behind it."
    figures = [_mistake(judged, at, shelf, overlays.get(at, "")) for at in shown]
    kind = "triples" if overlays else "photos"
    body = f'{told}<p class="faint">{note}</p><div class="{kind}">{"".join(figures)}</div>'
    return Card("mistakes", "The worst mistakes", body)


def unsure_card(judged: EvaluatedPhotos, shelf: PictureShelf) -> Card:
    """The answers of least confidence, right or wrong."""
    shown = judged.least_certain[:MOST_UNSURE]
    right = int(judged.is_right[shown].sum())
    figures = "".join(_captioned(judged, at, shelf) for at in shown)
    return Card(
        "unsure",
        "The least certain",
        f"<p>The {len(shown)} answers of least confidence, {right} of them right.</p>"
        f'<div class="photos">{figures}</div>',
    )


def twins_card(found: Findings, shelf: PictureShelf, unknown: str = "") -> Card:
    """Near-duplicates of tested photos among those learned from; `unknown` where none looked."""
    title = "Near-duplicates between train and test"
    leak = found.leak
    if leak is None:
        return Card("twins", title, f"<p>{escape(unknown)}</p>" if unknown else "")
    told = (
        f'<p class="faint">Each of {leak.tested:,} tested photos against {leak.learned:,} that '
        f"training and validation saw, by perceptual hash, mirrored too; near is within "
        f"{leak.radius} of 64 bits.</p>"
    )
    if not leak.twins:
        good = '<p class="good">No tested photo was learned from, nor any that looks like it.</p>'
        return Card("twins", title, good + told)
    # Same files are alike to look at: a few of them, for the others to have room.
    same = [twin for twin in leak.twins if twin.is_same_file][: MOST_TWINS // 2]
    near = [twin for twin in leak.twins if not twin.is_same_file][: MOST_TWINS - len(same)]
    pairs = "".join(_twin(found, twin, shelf) for twin in (*same, *near))
    left = len(leak.twins) - len(same) - len(near)
    more = f"<p>and {left:,} more.</p>" if left > 0 else ""
    body = f'{_verdict(found.judged, leak)}{told}<div class="twins">{pairs}</div>{more}'
    return Card("twins", title, body)


def preview_card(preview: "TrainingPreview | None", shelf: PictureShelf) -> Card:
    """Training photos as training saw them."""
    if preview is None:
        return Card("variants", "As training sees them", "")
    rows = []
    for each in preview.photos:
        name = each.photo.path.name
        variants = "".join(
            f"<figure>{shelf.show_pixels(shrink(pixels), f'{name}, varied')}</figure>"
            for pixels in each.variants
        )
        plain = shelf.show(each.photo.path, name)
        caption = escape(each.photo.label.title)
        rows.append(
            f'<div class="row"><figure>{plain}<figcaption>{caption}</figcaption></figure>'
            f"{variants}</div>"
        )
    body = f'<p>{escape(preview.note)}</p><div class="varied">{"".join(rows)}</div>'
    return Card("variants", "As training sees them", body)


def _cell(row: int, column: int, count: int, share: float) -> str:
    # Blue where it is right, red where it is wrong; the stronger, the more of its row.
    colour = "63,111,181" if row == column else "179,57,47"
    strength = min(1.0, share if row == column else 2.5 * share)
    style = f'style="background:rgba({colour},{max(0.04, strength):.2f})"'
    inner = f"<b>{count:,}</b><small>{share:.0%}</small>"
    if not count:
        return f"<td><span {style}>{inner}</span></td>"
    dark = ' class="dark"' if strength > 0.5 else ""
    return f'<td><a href="#cell-{row}-{column}"{dark} {style}>{inner}</a></td>'


def _panel(judged: EvaluatedPhotos, shelf: PictureShelf, actual: Label, predicted: Label) -> str:
    """The photos of one cell: the surest mistakes first, or the least sure right answers."""
    members = [
        at
        for at in judged.least_certain
        if judged.predictions[at].actual == actual and judged.predictions[at].predicted == predicted
    ]
    is_right = actual is predicted
    if not is_right:
        members.reverse()
    order = "the least sure first" if is_right else "the surest first"
    name = f"cell-{LABELS.index(actual)}-{LABELS.index(predicted)}"
    left = len(members) - MOST_IN_A_CELL
    more = f'<p class="more">and {left:,} more: see predictions.csv</p>' if left > 0 else ""
    verdict = "&#8211; rightly taken" if is_right else "&#8211; taken"
    figures = "".join(_captioned(judged, at, shelf) for at in members[:MOST_IN_A_CELL])
    return (
        f'<div class="cell" id="{name}"><h3>{escape(actual.title)} {verdict} for '
        f'{escape(predicted.title)}: {len(members):,}, {order} <a href="#matrix">close</a></h3>'
        f'<div class="photos">{figures}</div>{more}</div>'
    )


def _captioned(judged: EvaluatedPhotos, at: int, shelf: PictureShelf) -> str:
    each = judged.predictions[at]
    sure = f"{judged.confidence[at]:.0%}"
    if each.is_right:
        caption = f"{escape(_title(each.predicted))} {sure}"
    else:
        caption = (
            f'<b class="wrong">{escape(_title(each.predicted))}</b> {sure}<br>'
            f"is {escape(_title(each.actual))}"
        )
    picture = shelf.show(judged.photos[at].path, each.path)
    return f"<figure>{picture}<figcaption>{caption}</figcaption></figure>"


def _draw_overlays(found: Findings, shown: Sequence[int], shelf: PictureShelf) -> dict[int, str]:
    """For each mistake the maps of the class said and of the right one; empty without maps."""
    maps = open_maps(found.model)
    if maps is None:
        return {}
    photos = [found.judged.photos[at] for at in shown]
    reader = PixelReader(found.size, kept_bytes=0)
    added = maps.compute(np.stack([reader.read(photo) for photo in photos]))
    names = [label.value for label in LABELS]
    overlays = {}
    for number, at in enumerate(shown):
        each = found.judged.predictions[at]
        plain = shrink(read_image(photos[number].path))
        overlays[at] = "".join(
            shelf.show_pixels(
                draw_overlay(plain, added[number, names.index(name)]),
                f"what speaks for {_title(name)}",
            )
            for name in (each.predicted, each.actual)
        )
    return overlays


def _mistake(judged: EvaluatedPhotos, at: int, shelf: PictureShelf, overlays: str) -> str:
    if not overlays:
        return _captioned(judged, at, shelf)
    each = judged.predictions[at]
    picture = shelf.show(judged.photos[at].path, each.path)
    said, is_ = escape(_title(each.predicted)), escape(_title(each.actual))
    return (
        f'<div class="triple">{picture}{overlays}<span></span><span>for {said}</span>'
        f'<span>for {is_}</span><p><b class="wrong">{said}</b> {judged.confidence[at]:.0%}, is '
        f"<b>{is_}</b> {_chance(each):.0%}<br><span>{escape(each.path)}</span></p></div>"
    )


def _chance(each: Prediction) -> float:
    """Of the right class."""
    return each.probabilities[[label.value for label in LABELS].index(each.actual)]


def _verdict(judged: EvaluatedPhotos, leak: LeakCheck) -> str:
    has_twin = np.zeros(leak.tested, bool)
    has_twin[[twin.tested for twin in leak.twins]] = True
    near = len(leak.twins) - leak.same_files
    text = (
        f"Of {leak.tested:,} tested photos {leak.same_files:,} are the very file that was learned "
        f"from, and {near:,} nearly so."
    )
    if not has_twin.all():
        with_twin, without = judged.is_right[has_twin].mean(), judged.is_right[~has_twin].mean()
        text += f" These are {with_twin:.1%} right, all others {without:.1%}."
    text += " Curate by group, or test on other photos."
    return f'<p class="fault">{text}</p>'


def _twin(found: Findings, twin: Twin, shelf: PictureShelf) -> str:
    tested, learned = found.judged.photos[twin.tested], found.learned[twin.learned]
    if twin.is_same_file:
        how = "the same file"
    else:
        how = f"{twin.bits} bits away{', mirrored' if twin.is_mirrored else ''}"
    name = found.judged.predictions[twin.tested].path
    split = learned.path.parent.parent.name
    return (
        f'<div class="row"><figure>{shelf.show(tested.path, name)}<figcaption>tested: '
        f"{escape(tested.label.title)}</figcaption></figure>"
        f"<figure>{shelf.show(learned.path, learned.path.name)}<figcaption>{escape(split)}: "
        f'{escape(learned.label.title)}</figcaption></figure><p class="faint">{how}<br>'
        f"{escape(name)}<br>{escape(split)}/{escape(learned.label)}/{escape(learned.path.name)}"
        "</p></div>"
    )


def _title(name: str) -> str:
    return Label(name).title
