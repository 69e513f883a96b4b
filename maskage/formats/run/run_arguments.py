"""args.yaml: what a run was asked for, and what it was trained on.

curated           the curated set, as `trainer fit` resolved it
dataset_digest    of the photos in that set (`digest_set`)
feature_caches    where features of the photos were kept, also by a run that went on later
name, recipe, ... the settings of `trainer fit`, which `trainer.settings` checks

Reads and writes the file as plain values; a run that somebody else made is read too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskage.errors import DatasetError
from maskage.formats.curated.curation_file import read_curation
from maskage.security.files import UnsafeFileError, read_regular_file
from maskage.shell_words import join_words
from maskage.system.files import replace_file

ARGS_FILE = "args.yaml"
CACHES_KEY = "feature_caches"

_LARGEST = 1 << 20
_FIT_OPTIONS = (
    "model", "weights", "epochs", "fine_tune_epochs", "image_size", "alpha", "batch_size", "heads",
    "seed",
)  # fmt: skip
_FIT_FLAGS = ("learning_curve", "find_rate", "tensorboard")


@dataclass(frozen=True)
class TrainedRun:
    """A run, and what it was trained on.

    Attributes:
        folder: Absolute path of the run.
        curated: The set it was trained on, as the file names it.
        trained_on: The same, absolute; where the project was moved, its place beside the runs.
        dataset_digest: Digest of the photos in the set at that time; None if it is not known.
        command: Command that trains the run again.
        feature_caches: Absolute paths of the caches that hold features of the photos.
    """

    folder: Path
    curated: str
    trained_on: Path
    dataset_digest: str | None
    command: str
    feature_caches: tuple[Path, ...] = ()


def write_arguments(run: Path, values: Mapping[str, Any]) -> None:
    """Write the arguments of the run in the folder `run`, whole or not at all.

    Raises:
        OSError: The disk refused.
    """
    import yaml

    text = yaml.safe_dump(dict(values), sort_keys=False)
    replace_file(run / ARGS_FILE, text.encode(errors="backslashreplace"))


def read_arguments(run: Path) -> dict[str, Any]:
    """Return the arguments of a run; empty if the file is missing or something else."""
    try:
        return _parse((run / ARGS_FILE).read_bytes())
    except (OSError, UnsafeFileError):
        return {}


def load_arguments(run: Path) -> dict[str, Any]:
    """Return the arguments of a run that a stranger may have made.

    Raises:
        UnsafeFileError: The file is missing, too large, or not what `trainer fit` writes.
    """
    return _parse(read_regular_file(run / ARGS_FILE, _LARGEST))


def read_run(folder: Path) -> TrainedRun | None:
    """Read what a run was trained on; None if its args.yaml is something else of this name."""
    args = read_arguments(folder)
    curated, digest = args.get("curated"), args.get("dataset_digest")
    if not isinstance(curated, str):
        return None
    known = digest if isinstance(digest, str) else None
    trained_on = _find_set(folder, curated, known)
    if trained_on.is_dir() and Path(curated).is_absolute():
        args["curated"] = str(trained_on)
    return TrainedRun(
        folder=folder,
        curated=curated,
        trained_on=trained_on,
        dataset_digest=known,
        command=_fit_command(folder, args),
        feature_caches=_feature_caches(args),
    )


def _find_set(run: Path, curated: str, digest: str | None) -> Path:
    """Return the folder of the set that a run names, or of the same set in a moved project."""
    # A relative path starts from the folder that holds the folder of the runs.
    named = (run.parent.parent / curated).resolve()
    beside = (run.parent.parent / named.name).resolve()
    if named.is_dir() or digest is None:
        return named
    try:
        record = read_curation(beside)
    except DatasetError:
        return named
    return beside if record is not None and record.dataset_digest == digest else named


def _parse(data: bytes) -> dict[str, Any]:
    import yaml

    try:
        values = yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0][:200]
        raise UnsafeFileError(f"it is not YAML: {reason}") from fault
    if not isinstance(values, dict):
        raise UnsafeFileError("it holds no settings")
    return values


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
