"""search.json: what a `trainer search` has measured so far, and from which it goes on.

runs/<search>/search.json    this file, written after each step
runs/<search>/report.html    a page for people; it shows figures and no photos
runs/<search>/set/, trial/   the photos and the training of a trial, while it is under way
runs/<search>-best/          the chosen network as a normal run, beside the search

schema_version    1
curated           absolute path of the curated set
dataset_digest    of the photos in that set (`digest_set`)
seed, models, image_sizes, devices, precision    what the search was asked for
folds             the fold of each photo of train and val without variants, sorted by split and path
candidates        by name: recipe, image_size, alpha, heads, milliseconds, frozen, trials
rates             measured seconds, from which later steps are predicted
seconds           time of all sittings together
run               name of the chosen network's run, or null

Answers are class numbers in the order of `folds`, so the file names no photo.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from maskage.errors import EnvironmentProblemError
from maskage.outside_text import path_to_text, text_to_path
from maskage.system.files import replace_file

SEARCH_FILE = "search.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class TrialRecord:
    """A short fine-tuning on all folds but one, and its answers to the photos of that fold.

    Attributes:
        fold: Number of the fold that was answered.
        epochs: Number of epochs of fine-tuning.
        answers: Class numbers of the fold's photos, in their order.
        seconds: Duration of the training.
    """

    fold: int
    epochs: int
    answers: tuple[int, ...]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class CandidateRecord:
    """A network that the search looks at, and what was measured of it.

    Attributes:
        recipe: Name of its recipe.
        image_size: Side of its input, px.
        alpha: Width of the network.
        heads: "classes" or "factors".
        milliseconds: Time for one face alone; None if it was not measured yet.
        frozen: Answers of heads on the frozen backbone to all photos, each by a head that saw no
            photo of its group; None if they were not measured yet.
        trials: Fine-tunings.
    """

    recipe: str
    image_size: int
    alpha: float
    heads: str
    milliseconds: float | None = None
    frozen: tuple[int, ...] | None = None
    trials: tuple[TrialRecord, ...] = ()

    @property
    def network(self) -> tuple[str, float, int]:
        """What two candidates that differ in their heads alone have in common."""
        return self.recipe, self.alpha, self.image_size


@dataclass(frozen=True, kw_only=True)
class SearchRecord:
    """Everything that a search has to know to go on; see the top of this module."""

    curated: Path
    dataset_digest: str
    seed: int
    folds: tuple[int, ...]
    models: tuple[str, ...] = ()
    image_sizes: tuple[int, ...] = ()
    devices: str = "all"
    precision: str = "auto"
    candidates: Mapping[str, CandidateRecord] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    run: str | None = None


def write_search(folder: Path, record: SearchRecord) -> None:
    """Write the record of the search in `folder`, whole or not at all.

    Raises:
        OSError: The disk refused.
    """
    values = {
        "schema_version": SCHEMA_VERSION,
        **asdict(record),
        "curated": path_to_text(str(record.curated)),
    }
    # One line for each key: a list of a thousand numbers would else fill a thousand lines.
    lines = (f'"{key}": {json.dumps(value)}' for key, value in values.items())
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    replace_file(folder / SEARCH_FILE, text.encode())


def read_search(folder: Path) -> SearchRecord:
    """Read the record of the search in `folder`.

    Raises:
        EnvironmentProblemError: There is none, it is damaged, or a later version wrote it.
    """
    path = folder / SEARCH_FILE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if (version := values.pop("schema_version")) != SCHEMA_VERSION:
            raise ValueError(f"its schema is {version}, this version reads {SCHEMA_VERSION}")
        return _record_of(values)
    except FileNotFoundError as fault:
        raise EnvironmentProblemError(
            f"{folder}: there is no search to go on with (no {SEARCH_FILE}). Name a folder that "
            f"`trainer search` made, or begin a new search without --resume."
        ) from fault
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as fault:
        raise EnvironmentProblemError(
            f"{path}: cannot be read as the record of a search ({type(fault).__name__}: "
            f"{str(fault)[:200]}). Begin a new search: computed features are kept."
        ) from fault


def newest_search(runs: Path) -> Path:
    """Return the folder of the search that was written to last.

    Raises:
        EnvironmentProblemError: There is no search.
    """
    found = sorted(runs.glob(f"[!.]*/{SEARCH_FILE}"), key=lambda path: path.stat().st_mtime_ns)
    if not found:
        raise EnvironmentProblemError(
            f"There is no search in {runs} to go on with. Begin one with `trainer search`, or name "
            f"its folder with --resume."
        )
    return found[-1].parent


def _record_of(values: dict[str, Any]) -> SearchRecord:
    candidates = {str(name): _candidate_of(each) for name, each in values["candidates"].items()}
    folds = _numbers(values["folds"])
    for name, each in candidates.items():
        if each.frozen is not None and len(each.frozen) != len(folds):
            raise ValueError(f"{name} has {len(each.frozen)} answers to {len(folds)} photos")
        for trial in each.trials:
            if len(trial.answers) != folds.count(trial.fold):
                raise ValueError(f"a trial of {name} has {len(trial.answers)} answers")
    return SearchRecord(
        curated=Path(text_to_path(values["curated"])),
        dataset_digest=str(values["dataset_digest"]),
        seed=int(values["seed"]),
        folds=folds,
        models=tuple(map(str, values["models"])),
        image_sizes=_numbers(values["image_sizes"]),
        devices=str(values["devices"]),
        precision=str(values["precision"]),
        candidates=candidates,
        rates={str(name): float(value) for name, value in values["rates"].items()},
        seconds=float(values["seconds"]),
        run=None if values["run"] is None else str(values["run"]),
    )


def _candidate_of(values: Mapping[str, Any]) -> CandidateRecord:
    took_ms, frozen = values["milliseconds"], values["frozen"]
    return CandidateRecord(
        recipe=str(values["recipe"]),
        image_size=int(values["image_size"]),
        alpha=float(values["alpha"]),
        heads=str(values["heads"]),
        milliseconds=None if took_ms is None else float(took_ms),
        frozen=None if frozen is None else _numbers(frozen),
        trials=tuple(
            TrialRecord(
                int(each["fold"]),
                int(each["epochs"]),
                _numbers(each["answers"]),
                float(each["seconds"]),
            )
            for each in values["trials"]
        ),
    )


def _numbers(values: list[Any]) -> tuple[int, ...]:
    return tuple(map(int, values))
