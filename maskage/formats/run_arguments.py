"""What a trained run tells of the photos it was trained on, read from outside.

<runs>/<run>/args.yaml          `curated` names the set, `dataset_digest` what was in it
<runs>/<run>/predictions.csv    `path` names photos of that set

Only reads. Training is not imported: the files are what the packages promise to each other.
"""

import csv
from collections.abc import Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskage.outside_text import cell_to_path
from maskage.shell_words import join_words

ARGS_FILE = "args.yaml"
CACHES_KEY = "feature_caches"
"""In args.yaml: where the features of the photos were kept, also by a run that went on later."""

_FIT_OPTIONS = (
    "model", "weights", "epochs", "fine_tune_epochs", "image_size", "alpha", "batch_size", "heads",
    "seed",
)  # fmt: skip
_FIT_FLAGS = ("learning_curve", "find_rate", "tensorboard")


@dataclass(frozen=True)
class TrainedRun:
    """One run.

    Attributes:
        folder: Absolute.
        curated: The set it was trained on, as it names it.
        trained_on: The same, absolute.
        dataset_digest: Of the photos in it then; None where the run does not tell.
        command: Trains it anew.
        feature_caches: Where it kept features of photos, absolute.
    """

    folder: Path
    curated: str
    trained_on: Path
    dataset_digest: str | None
    command: str
    feature_caches: tuple[Path, ...] = ()

    def count_predicted(self, paths: Container[str]) -> int:
        """How many of these photos its predictions name: "test/mask_old/a.jpg" is mask_old/a.jpg.

        Args:
            paths: Relative to the dataset.
        """
        try:
            with (self.folder / "predictions.csv").open(newline="", encoding="utf-8") as file:
                named = [cell_to_path(row.get("path") or "") for row in csv.DictReader(file)]
        except (OSError, UnicodeDecodeError, csv.Error):
            return 0
        return sum("/".join(path.split("/")[-2:]) in paths for path in named)


def read_run(folder: Path) -> TrainedRun | None:
    """Read a run's args.yaml; None where it is something else of this name."""
    args = _read_args(folder / ARGS_FILE)
    curated, digest = args.get("curated"), args.get("dataset_digest")
    if not isinstance(curated, str):
        return None
    # A relative one is of the folder that the runs' folder lies in.
    trained_on = (folder.parent.parent / curated).resolve()
    told = digest if isinstance(digest, str) else None
    return TrainedRun(
        folder, curated, trained_on, told, _fit_command(folder, args), _feature_caches(args)
    )


def _read_args(path: Path) -> Mapping[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
    return values if isinstance(values, dict) else {}


def _feature_caches(args: Mapping[str, Any]) -> tuple[Path, ...]:
    named = args.get(CACHES_KEY)
    listed = named if isinstance(named, list) else []
    return tuple(
        Path(each) for each in listed if isinstance(each, str) and Path(each).is_absolute()
    )


def _fit_command(folder: Path, args: Mapping[str, Any]) -> str:
    words = ["trainer", "fit", str(args["curated"])]
    for option in _FIT_OPTIONS:
        if args.get(option) is not None:
            words += [f"--{option.replace('_', '-')}", str(args[option])]
    words += [f"--{flag.replace('_', '-')}" for flag in _FIT_FLAGS if args.get(flag) is True]
    if args.get("name") is not None:
        words += ["--name", str(args["name"])]
    return join_words([*words, "--runs", str(folder.parent)])
