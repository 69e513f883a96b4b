"""The model card: what the model is for, what it was made of, where it errs."""

from typing import Any

from collector.records import LABELS
from trainer.metrics import Evaluation


def write_card(name: str, evaluation: Evaluation, metrics: dict[str, Any]) -> str:
    """The card as Markdown.

    Args:
        name: Of the run.
        evaluation: Of the test photos.
        metrics: What `metrics.json` holds.
    """
    low, high = evaluation.accuracy_interval
    counts = metrics["counts"]
    rows = "\n".join(
        f"| {label.title} | {s.precision:.3f} | {s.recall:.3f} | {s.f1:.3f} | {s.support} |"
        for label in LABELS
        for s in [evaluation.per_class[label.value]]
    )
    return f"""# {name}

Tells four classes of face photos apart: {", ".join(label.title for label in LABELS)}. A mask is one
worn over nose and mouth; on the chin or off the nose counts as none.

## Use
For learning, demonstrations and counting on one's own machine, with people who agreed to it. Not
for admitting, refusing, ranking or identifying anybody: it guesses age from looks, is wrong for
some people more than for others, and was tested on few of them.

## Made of
- Network: {metrics["model"]}, {metrics["image_size"]} px, weights {metrics["weights"]}.
- Photos: {counts["train"]} to train, {counts["val"]} to validate, {counts["test"]} to test;
  digest `{metrics["dataset_digest"][:16]}`.

## How good
On the test photos: {evaluation.accuracy:.1%} right (95% interval {low:.1%} to {high:.1%}); mask or
no mask {evaluation.mask_accuracy:.1%}; young or old {evaluation.age_accuracy:.1%}. The interval
holds for photos like these; other cameras, light and people may do worse.

| class | precision | recall | F1 | photos |
|---|---|---|---|---|
{rows}

Confidence is calibrated on the validation photos (temperature {metrics["temperature"]:.2f}); on the
test photos it is off by {evaluation.calibration_error:.1%} on average.

## Limits
Photos whose people are neither young nor old were not among the classes. Profiles, blur, scarves
and hands before the face are known to mislead such networks. Look at the mistakes in `report.html`
before you rely on it.
"""
