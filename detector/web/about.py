"""The classes of the model, as the page and other programs get them."""

from typing import Any

from detector.drawing.styles import UNSURE_COLOR, age_notice, class_line, unsure_word
from detector.web.requests import LabelAnswer, SeriesAnswer
from detector.web.views.counting import chart_series
from maskage.classes.scheme import MASK, WORN, PhotoClass, Scheme


def describe_classes(scheme: Scheme) -> dict[str, Any]:
    """Return the fields of an `AboutAnswer` that come from the classes."""
    return {
        "labels": [_describe_class(scheme, each) for each in scheme],
        "series": [
            SeriesAnswer(
                name=line.name,
                title=line.title,
                label=None if line.label is None else scheme.index(line.label),
            )
            for line in chart_series(scheme)
        ],
        "unsure_color": "#{:02x}{:02x}{:02x}".format(*UNSURE_COLOR),
        "unsure_word": unsure_word(scheme),
        "age_notice": age_notice(scheme),
    }


def _describe_class(scheme: Scheme, each: PhotoClass) -> LabelAnswer:
    has_mask = scheme.has(each.folder, MASK, WORN) if MASK in scheme.factors else None
    return LabelAnswer(
        name=each.folder,
        folder=each.folder,
        title=each.title,
        color=each.color,
        factors=dict(each.factors),
        has_mask=has_mask,
        line=class_line(scheme, each.folder),
    )
