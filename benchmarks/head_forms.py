"""One softmax over the four classes, or one head for mask and one for age: which answers better?

    python benchmarks/head_forms.py CURATED [--repeats 5] [--model mobilenetv2] [--weights imagenet]

All photos of a curated folder are judged by heads on the frozen backbone that were trained on other
groups (five folds, drawn anew in each repeat, the same for both forms). Prints the accuracy of each
form, of the mask and of the age half, and the difference with its 95% interval over groups.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from collector.records import LABELS
from trainer.classes import class_numbers, class_weights
from trainer.frozen import FrozenBackbone
from trainer.head import HeadData, Matrix, train_head
from trainer.leak import list_originals, make_folds
from trainer.progress import ProgressPrinter
from trainer.recipe import HEADS, Recipe, load_recipe
from trainer.resampling import number_groups, resample_means

FOLDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("curated", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default="mobilenetv2")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="features are cached there")
    arguments = parser.parse_args()
    recipe = load_recipe(arguments.model)
    photos = list_originals(arguments.curated)
    backbone = FrozenBackbone(recipe, arguments.weights, arguments.runs)
    features = backbone.look_at(photos, ProgressPrinter())
    labels = class_numbers(photos)
    groups = number_groups([photo.group for photo in photos])
    right = {
        form: judge(features, labels, groups, recipe, form, arguments.repeats) for form in HEADS
    }
    print(json.dumps({"photos": len(photos), **describe(right, groups)}, indent=2))


def judge(
    features: Matrix,
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    recipe: Recipe,
    form: str,
    repeats: int,
) -> NDArray[np.float64]:
    """How often class, mask half and age half of each photo were right, 0 to 1, shape (3, N)."""
    halves = np.array([[label.has_mask, label.is_old] for label in LABELS])
    answers = []
    for repeat in range(repeats):
        folds = make_folds(labels, groups, FOLDS, repeat)
        said = np.empty_like(labels)
        for fold in range(FOLDS):
            asked, picks = folds == fold, folds == (fold + 1) % FOLDS
            teaches = ~asked & ~picks
            data = HeadData(
                features[teaches][:, None],
                labels[teaches],
                features[picks],
                labels[picks],
                class_weights(labels[teaches]),
            )
            head = train_head(
                data, recipe.head, label_smoothing=recipe.label_smoothing, seed=repeat, heads=form
            )
            said[asked] = head.logits(features[asked]).argmax(axis=1)
        rows = [said == labels, *(halves[said] == halves[labels]).T]
        answers.append(np.array(rows, np.float64))
    return np.mean(answers, axis=0)


def describe(right: dict[str, NDArray[np.float64]], groups: NDArray[np.int64]) -> dict[str, object]:
    names = ("accuracy", "mask_accuracy", "age_accuracy")
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
