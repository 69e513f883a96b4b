"""The classes of the model, as the page and other programs get them."""

import re
from typing import Any

from detector.drawing.styles import UNSURE_COLOR, age_notice, class_line, unsure_word
from detector.screens.commands import (
    KEYS,
    ChooseLabel,
    Command,
    CorrectLabel,
    MoveThreshold,
)
from detector.screens.keys import LiveKeys
from detector.web.requests import (
    CostAnswer,
    CostsAnswer,
    KeyAnswer,
    LabelAnswer,
    SeriesAnswer,
)
from detector.web.threshold_costs import ThresholdCosts
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


def describe_keys(scheme: Scheme) -> list[KeyAnswer]:
    """Return the keys of the window, each with the name of its command."""
    keys = LiveKeys(scheme)
    candidates = dict.fromkeys([*KEYS, *(each.key for each in scheme if each.key), *"[]\r"])
    return [_describe_key(key, command) for key in candidates for command in keys.parse(key)]


def describe_costs(costs: ThresholdCosts | None) -> CostsAnswer | None:
    """Return the costs of the thresholds, as the page gets them."""
    if costs is None:
        return None
    steps = [
        CostAnswer(
            answered=step.answered,
            accuracy=round(step.right / step.answered, 4) if step.answered else None,
        )
        for step in costs.steps
    ]
    return CostsAnswer(photos=costs.photos, steps=steps)


def _describe_key(key: str, command: Command) -> KeyAnswer:
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", type(command).__name__).lower()
    by = command.by if isinstance(command, MoveThreshold | ChooseLabel) else None
    label = command.label if isinstance(command, CorrectLabel) else None
    return KeyAnswer(key=key, action=name, label=label, by=by)
