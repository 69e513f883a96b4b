"""The measurement of a trained model on labelled photos. It runs the bundle, without TensorFlow."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from maskage.console import Progress, no_progress, say
from maskage.defaults import DEFAULT_RUNS
from maskage.errors import DatasetError, EnvironmentProblemError, ToolchainError, UsageError
from maskage.formats.bundle import ONNX_FILE, ModelBundle, find_bundle, load_bundle, read_file
from maskage.formats.classes.classes_file import find_scheme, require_same_classes
from maskage.formats.curated.curated_set import (
    SPLITS,
    CuratedPhoto,
    list_left_out,
    read_class_folders,
    read_curated,
    scheme_of_set,
)
from maskage.formats.run.run_folder import trained_on
from maskage.inference.onnx_engine import OnnxEngine
from maskage.inference.timing import measure_ms
from maskage.outside_text import path_to_text, shown_text
from maskage.pictures.picture_files import LeftOut
from maskage.pictures.picture_kinds import is_system_name
from maskage.system.files import write_private
from maskage.system.swap_folder import find_place
from trainer.data.dataset import caveat_of, read_training_photos
from trainer.data.pixels import PixelReader, plain_batches
from trainer.evaluation.breakdown import format_breakdown
from trainer.evaluation.evaluated_photos import evaluate_photos
from trainer.evaluation.findings import Findings, judge_rejection, measure_worse
from trainer.evaluation.leak_check import check_leak, scan_files
from trainer.evaluation.metrics import Evaluation
from trainer.evaluation.photo_facts import read_metadata
from trainer.evaluation.robustness import CorruptedAccuracy, format_corruptions
from trainer.progress import Stopwatch

ALWAYS_KNOWN = ("size", "sharpness")
"""The breakdowns that need no metadata; only the page and `--json` show them."""

DEFAULT_SPLIT = "test"
"""The split of a curated folder; a folder of class folders has no splits."""


@dataclass(frozen=True)
class RunEvaluation:
    """An evaluation with its model and its photos.

    Attributes:
        found: The findings.
        bundle: The folder of the model.
        data: The folder of the photos.
        split: "train", "val" or "test", or None where the folder has no splits.
        seconds: The seconds that each part took.
        left_out: The files in the folder that were not read.
        digest: The digest of the photos that the model was trained on.
        doubt: The reason why the photos may be known to the model; empty if there is none.
    """

    found: Findings
    bundle: Path
    data: Path
    split: str | None
    seconds: dict[str, float]
    left_out: tuple[LeftOut, ...]
    digest: str
    doubt: str = ""

    @property
    def evaluation(self) -> Evaluation:
        """The accuracy and what belongs to it."""
        return self.found.judged.evaluation

    @property
    def corruptions(self) -> tuple[CorruptedAccuracy, ...] | None:
        """The accuracy on worse photos; None where it was not measured."""
        return None if self.found.worse is None else self.found.worse.corrupted

    def as_dict(self) -> dict[str, Any]:
        """Return the object of `--json`: what `metrics.json` holds of an evaluation."""
        return {
            **self.found.as_dict(),
            "bundle": path_to_text(str(self.bundle)),
            "data": path_to_text(str(self.data)),
            "split": self.split,
            "seconds": self.seconds,
            "left_out": [asdict(each) for each in self.left_out],
            "doubt": self.doubt,
        }

    def __str__(self) -> str:
        where = f"{self.data}" + (f", split {self.split}" if self.split else "")
        parts = [shown_text(f"{self.bundle} on {where}"), str(self.evaluation)]
        parts.append("\n".join(self.found.rejection_lines))
        parts += [
            format_breakdown(each)
            for each in self.found.judged.breakdowns
            if each.parts and each.by not in ALWAYS_KNOWN
        ]
        if (worse := self.found.worse) is not None:
            parts.append(format_corruptions(worse.clean, worse.corrupted))
        parts.append(f"{self.found.milliseconds_per_photo:.1f} ms a face, one at a time")
        if self.doubt:
            parts.append(f"Careful: {self.doubt}")
        if self.found.caveat:
            parts.append(f"Careful: {self.found.caveat}")
        return "\n\n".join(parts)


def evaluate_run(
    model: Path | None,
    data: Path | None,
    split: str,
    runs: Path = DEFAULT_RUNS,
    has_corruptions: bool = False,
    metadata: Path | None = None,
    progress: Progress = no_progress,
) -> RunEvaluation:
    """Run a model on labelled photos and count its answers.

    Args:
        model: A run or bundle folder; None for the newest run.
        data: A curated folder, or one with the model's class folders; None for the one that the run
            was trained on.
        split: The part of a curated folder: "train", "val" or "test".
        runs: The folder in which the newest run is searched.
        has_corruptions: Whether to run it again on worse photos, once for each corruption.
        metadata: A CSV of path and source, subject, session; see `photo_facts`.
        progress: The progress bar of the worse photos.

    Raises:
        ModelRefusedError: The bundle is damaged or incomplete.
        DatasetError: The photos or the metadata are not usable.
        UsageError: The run does not record what it was trained on, or the set has no test.
    """
    folder = find_bundle(model, runs)
    bundle = load_bundle(folder)
    data = data if data is not None else trained_on(folder)
    facts = read_metadata(metadata, say) if metadata is not None else None
    photos, found_split, caveat = _read_photos(data, split, bundle)
    is_own = _is_own(folder, data)
    engine = OnnxEngine(read_file(bundle, ONNX_FILE))
    size = bundle.input_size
    watch = Stopwatch()
    with watch.measure("evaluate"):
        answers = engine.answer_batches(plain_batches(photos, PixelReader(size, 0)))
    judged = evaluate_photos(
        data.resolve(),
        photos,
        answers.probabilities,
        bundle.temperature,
        facts,
        scheme=bundle.scheme,
    )
    milliseconds = measure_ms(engine, size)
    worse = None
    if has_corruptions:
        with watch.measure("corruptions"):
            worse = measure_worse(engine, judged, size, progress=progress)
    found = Findings(
        judged=judged,
        model=bundle.onnx_path,
        size=size,
        unsure_below=bundle.unsure_below,
        milliseconds_per_photo=milliseconds,
        worse=worse,
        split=found_split,
        # It says how little the run's own set can show.
        caveat=caveat if is_own else None,
    )
    found = judge_rejection(found, answers.strangeness, bundle.strange_above)
    left_out = list_left_out(data, bundle.labels, found_split)
    digest = bundle.dataset_digest
    return RunEvaluation(
        found=found,
        bundle=folder,
        data=data,
        split=found_split,
        seconds=watch.seconds,
        left_out=left_out,
        digest=digest,
        doubt=_doubt(digest, data) if is_own and found_split == DEFAULT_SPLIT else "",
    )


def _is_own(folder: Path, data: Path) -> bool:
    """Return whether the photos are those of the set that a run was trained on."""
    try:
        return trained_on(folder).resolve() == data.resolve()
    except ToolchainError:
        return False


def _doubt(digest: str, data: Path) -> str:
    """Say why test photos may have been trained on: their set was made again since, or ""."""
    if not _is_changed(data, digest):
        return ""
    return (
        f"{data} was made again or changed after this training, so photos that are tested now may "
        f"have been trained on. Train again, or name other photos with --data."
    )


def _is_changed(curated: Path, digest: str) -> bool:
    """Return whether a set is no more the one that had this digest when it was trained on."""
    try:
        return read_training_photos(curated).digest != digest
    except ToolchainError:
        # It could be read then.
        return True


def write_evaluation(result: RunEvaluation, page: Path) -> RunEvaluation:
    """Write an evaluation as a page, and return it with the check for near-duplicates.

    Args:
        result: The evaluation.
        page: The file to write.

    Raises:
        EnvironmentProblemError: The page cannot be written.
    """
    # The page draws with libraries that the figures do not need.
    from trainer.pages.report import render_evaluation

    learned = _learned_from(result)
    found, unknown = result.found, ""
    if isinstance(learned, str):
        unknown = learned
    else:
        leak = check_leak(found.judged.file_scans, scan_files(learned))
        found = replace(found, learned=learned, leak=leak)
    run = result.bundle.parent.name if result.bundle.name == "bundle" else result.bundle.name
    where = result.data.name + (f", split {result.split}" if result.split else "")
    lead = f"Run {run} on {len(found.judged.photos):,} photos of {where}."
    text = render_evaluation(found, f"{run} on {result.data.name}", lead, unknown)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        write_private(page, text)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{page}: cannot be written ({fault.strerror}). Choose another --report."
        ) from fault
    return replace(result, found=found)


def _learned_from(result: RunEvaluation) -> list[CuratedPhoto] | str:
    """Return the photos of training and validation, or the reason why they are not known."""
    if result.split in ("train", "val"):
        return f"Not looked for: these photos are the {result.split} photos themselves."
    try:
        curated = read_curated(trained_on(result.bundle), may_lack_test=True)
        is_changed = bool(result.doubt) or _is_changed(curated.folder, result.digest)
    except ToolchainError as fault:
        return f"Not known: the photos that it was trained on cannot be read. {fault}"
    if is_changed:
        return (
            f"Not known: {shown_text(curated.folder)} was made again or changed after this "
            f"training, so it is unknown which of these photos it learned from."
        )
    return [*curated.photos("train"), *curated.photos("val")]


def _read_photos(
    data: Path, split: str, bundle: ModelBundle
) -> tuple[list[CuratedPhoto], str | None, str | None]:
    """Return the labelled photos in a folder with the model's classes, their split and caveat."""
    find_place(data.resolve())
    if any((data / name).is_dir() for name in SPLITS):
        require_same_classes(scheme_of_set(data), bundle.labels, str(data), _name_model(bundle))
        curated = read_curated(data, may_lack_test=True)
        if not curated.photos(split):
            raise UsageError(
                f"{data} has no test photos: it was made with `curate --no-test`. Measure on other "
                f"photos with --data FOLDER, or on its validation photos with --split val; their "
                f"figures are too good, because they chose the model's best epoch."
            )
        return curated.photos(split), split, caveat_of(curated)
    if split != DEFAULT_SPLIT:
        raise UsageError(
            f"--split {split}: {data} has no splits, only class folders. Leave the option "
            f"out to measure all of its photos."
        )
    if (scheme := find_scheme(data)) is not None:
        require_same_classes(scheme, bundle.labels, str(data), _name_model(bundle))
    _require_folders(data, bundle)
    return read_class_folders(data, bundle.labels), None, None


def _require_folders(data: Path, bundle: ModelBundle) -> None:
    """Refuse a folder without a class of the model, and name what it has in its place.

    Raises:
        DatasetError: A class folder is missing.
    """
    missing = [label for label in bundle.labels if not (data / label).is_dir()]
    if not data.is_dir() or not missing:
        return
    found = sorted(
        each.name
        for each in data.iterdir()
        if each.is_dir() and each.name[0] != "." and not is_system_name(each.name)
    )
    raise DatasetError(
        f"{data}: no folder {', '.join(missing)}. Found the folders {', '.join(found) or 'none'}; "
        f"{_name_model(bundle)} has the classes {', '.join(bundle.labels)}. Name photos that are "
        f"sorted into these classes, or rename the folders."
    )


def _name_model(bundle: ModelBundle) -> str:
    folder = bundle.folder
    return f"the model {folder.parent if folder.name == 'bundle' else folder}"
