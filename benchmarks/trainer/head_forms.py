"""Compare one softmax over the classes with one head for each factor, such as mask and age.

    python benchmarks/trainer/head_forms.py CURATED [--repeats 5]
        [--model mobilenetv2] [--weights imagenet]

All photos of a curated folder are predicted by heads on the frozen backbone that were trained on
other groups (five folds, drawn again in each repeat, the same for both forms). It prints the
accuracy of each form over the classes, of each factor, and the difference with its 95% interval
over groups.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from maskage.formats.curated.curated_set import read_curated
from trainer.data.frozen_features import FrozenBackbone
from trainer.evaluation.intervals import number_groups, resample_means
from trainer.network.classes import class_numbers
from trainer.progress import ProgressPrinter
from trainer.recipe import HEADS, load_recipe, with_overrides
from trainer.studies.cross_validation import cross_validate
from trainer.studies.leak import list_originals

FOLDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("curated", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default="mobilenetv2")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="features are cached there")
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.model)
    dataset = read_curated(arguments.curated)
    photos, scheme = list_originals(dataset), dataset.scheme
    backbone = FrozenBackbone(recipe, arguments.weights, arguments.runs, scheme)
    features = backbone.compute(photos, ProgressPrinter())
    labels = class_numbers(photos, scheme)
    groups = number_groups([photo.group for photo in photos])
    right = {}
    for form in HEADS:
        formed = with_overrides(recipe, heads=form)
        rounds = range(arguments.repeats)
        answers = [
            cross_validate(
                features, labels, groups, count=FOLDS, recipe=formed, seed=at, scheme=scheme
            )
            for at in rounds
        ]
        right[form] = np.mean(answers, axis=0)
    found = describe(right, groups, [*scheme.factors])
    print(json.dumps({"photos": len(photos), **found}, indent=2))


def describe(
    right: dict[str, NDArray[np.float64]], groups: NDArray[np.int64], factors: Sequence[str]
) -> dict[str, object]:
    """Return the accuracies of each form, and their differences with intervals."""
    names = ("accuracy", *(f"{name}_accuracy" for name in factors))
    found: dict[str, object] = {
        form: dict(zip(names, rows.mean(axis=1).round(4).tolist(), strict=True))
        for form, rows in right.items()
    }
    gaps = right["factors"] - right["classes"]
    ends = np.quantile(resample_means(gaps, groups, 1), (0.025, 0.975), axis=0)
    found["factors_minus_classes"] = {
        name: {
            "value": round(float(gap), 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
        }
        for name, gap, low, high in zip(names, gaps.mean(axis=1), *ends, strict=True)
    }
    return found


if __name__ == "__main__":
    main()
