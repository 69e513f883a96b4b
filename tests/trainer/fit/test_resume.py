"""A training that was stopped or killed goes on, and ends where it would have ended."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from maskage.classes.ready_made import MASK_AGE
from maskage.errors import EnvironmentProblemError, InUseError, UsageError
from maskage.formats.curated.curated_set import CuratedPhoto
from maskage.formats.run.results_file import EpochRow
from maskage.formats.run.run_folder import RunFolder, create_run, newest_unfinished
from maskage.records import RgbImage
from trainer.network.classes import one_hot
from trainer.network.head import EpochFigures, HeadData, train_head
from trainer.network.training_state import PhaseState, TrainingState, load_state, save_state
from trainer.recipe import Phase, load_recipe

RECIPE = replace(
    load_recipe("mobilenetv2"),
    head=Phase(
        epochs=12, batch_size=16, learning_rate=0.01, weight_decay=0.01, patience=12, dropout=0.3
    ),
)


def make_data() -> HeadData:
    chance = np.random.default_rng(5)
    labels = np.arange(64) % 4
    clouds = np.hstack([one_hot(labels, 4), np.zeros((64, 4), np.float32)])
    train = (clouds[:, None] + chance.normal(0, 0.6, (64, 3, 8))).astype(np.float32)
    val = (clouds + chance.normal(0, 0.6, (64, 8))).astype(np.float32)
    return HeadData(train, labels, val, labels, np.ones(4, np.float32), MASK_AGE)


def make_row(phase: str, epoch: int) -> EpochRow:
    return EpochRow(phase, epoch, 0.5, 0.75, 0.25, 0.875, 0.001, 1.5)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return create_run(tmp_path / "runs", "mine", "mobilenetv2", {"curated": "curated"})


@pytest.mark.parametrize("heads", ["classes", "factors"])
@pytest.mark.parametrize("last", [1, 6, 11, 12])
def test_a_head_that_goes_on_ends_where_an_unbroken_one_does(
    heads: str, last: int, tmp_path: Path
) -> None:
    data, recipe = make_data(), replace(RECIPE, heads=heads)
    states: list[PhaseState] = []
    unbroken_told: list[EpochFigures] = []

    def note(figures: EpochFigures) -> bool:
        unbroken_told.append(figures)
        return True

    unbroken = train_head(
        data, recipe, seed=3, on_epoch=note,
        on_state=states.append,
    )  # fmt: skip
    path = tmp_path / "state.npz"
    save_state(path, TrainingState(name="head", phase=states[last - 1]))
    kept = load_state(path)
    assert kept is not None
    told: list[EpochFigures] = []

    def note_again(figures: EpochFigures) -> bool:
        told.append(figures)
        return True

    resumed = train_head(
        data, recipe, seed=3, on_epoch=note_again,
        start=kept.phase,
    )  # fmt: skip
    assert told == unbroken_told[last:]
    assert np.array_equal(resumed.kernel, unbroken.kernel)
    assert np.array_equal(resumed.bias, unbroken.bias)
    assert (resumed.best_epoch, resumed.epochs) == (unbroken.best_epoch, unbroken.epochs)


def test_a_state_comes_back_whole(tmp_path: Path) -> None:
    arrays: dict[str, list[NDArray[Any]]] = {
        "model": [np.eye(3), np.arange(4, dtype=np.uint32)],
        "best": [np.array(2.5, np.float32)],
    }
    phase = PhaseState(3, 2, 0.125, arrays, {"seed": 2**100})
    logits = np.ones((5, 4), np.float32)
    state = TrainingState(
        name="fine_tune",
        phase=phase,
        epochs={"head": 9},
        seconds={"head": 1.5},
        start_logits=logits,
        rates={"head": 0.1},
    )
    path = tmp_path / "state.npz"
    assert load_state(path) is None
    save_state(path, state)
    found = load_state(path)
    assert found is not None
    assert (found.name, found.epochs_done) == ("fine_tune", {"head": 9, "fine_tune": 3})
    assert (found.seconds, found.rates) == (state.seconds, state.rates)
    assert (found.phase.best_epoch, found.phase.best_loss) == (2, 0.125)
    assert found.phase.random == {"seed": 2**100}
    assert found.start_logits is not None
    assert np.array_equal(found.start_logits, logits)
    for kind, values in arrays.items():
        for value, kept in zip(values, found.phase.arrays[kind], strict=True):
            assert np.asarray(value).dtype == kept.dtype
            assert np.array_equal(value, kept)
    assert [each.name for each in tmp_path.iterdir()] == ["state.npz"]


def test_a_damaged_state_is_told_and_left(tmp_path: Path) -> None:
    path = tmp_path / "state.npz"
    save_state(
        path, TrainingState(name="head", phase=PhaseState(1, 1, 0.5, {"best": [np.zeros(500)]}))
    )
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"PK" + bytes(300)):
        path.write_bytes(damaged)
        with pytest.raises(EnvironmentProblemError, match="last state of this run is unreadable"):
            load_state(path)
        assert path.read_bytes() == damaged


def test_the_state_of_another_version_is_told() -> None:
    from trainer.fit.callbacks import restore
    from trainer.network.backend import keras

    trainee = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    trainee.compile(keras.optimizers.AdamW(0.1), "mse")
    arrays = [np.array(each) for each in trainee.get_weights()]
    with pytest.raises(EnvironmentProblemError, match="another version"):
        restore(trainee, PhaseState(1, 1, 0.5, {"model": arrays, "optimizer": arrays[:1]}))


def test_epochs_after_the_last_state_are_taken_out_of_the_results(run: RunFolder) -> None:
    for epoch in range(1, 5):
        run.append_result(make_row("head", epoch))
    for epoch in (1, 2, 3):
        run.append_result(make_row("fine_tune", epoch))
    # The machine lost its power in the middle of a line.
    with (run.path / "results.csv").open("a") as file:
        file.write("fine_tune,4,0.1")
    assert len(run.read_results()) == 7
    run.keep_results({"head": 4, "fine_tune": 2})
    rows = run.read_results()
    assert [(row.phase, row.epoch) for row in rows] == [
        *(("head", epoch) for epoch in (1, 2, 3, 4)), ("fine_tune", 1), ("fine_tune", 2)
    ]  # fmt: skip
    assert rows[0] == make_row("head", 1)
    run.append_result(make_row("fine_tune", 3))
    assert len(run.read_results()) == 7


def test_one_training_at_a_time_works_in_a_run(run: RunFolder) -> None:
    with run.lock(), pytest.raises(InUseError, match="another program trains this run"):
        RunFolder(run.path).lock().__enter__()
    with run.lock():
        pass


def test_a_run_folder_is_there_with_its_args_or_not_at_all(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = create_run(runs, None, "mobilenetv2", {"curated": "curated", "name": None})
    assert run.read_args() == {"curated": "curated", "name": run.path.name}
    assert [each.name for each in runs.iterdir()] == [run.path.name]
    with pytest.raises(UsageError, match="go on with `trainer fit --resume"):
        create_run(runs, run.path.name, "mobilenetv2", {})


def test_the_newest_unfinished_run_is_found(tmp_path: Path, small_run: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    shutil.copytree(small_run, runs / "done")
    with pytest.raises(UsageError, match="No unfinished run"):
        newest_unfinished(runs)
    create_run(runs, "begun", "mobilenetv2", {})
    assert newest_unfinished(runs) == runs / "begun"
    metrics = json.loads((runs / "done" / "metrics.json").read_text())
    assert RunFolder(runs / "done").is_finished
    (runs / "done" / "metrics.json").write_text(json.dumps({**metrics, "is_stopped": True}))
    assert not RunFolder(runs / "done").is_finished


def test_options_that_would_change_a_begun_run_are_refused(
    run: RunFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.cli import main

    assert main(["fit", "--resume", str(run.path), "--epochs", "3"]) == 2
    assert "found --epochs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"seed": "abc"}, "seed is 'abc'"),
        ({"epochs": [3]}, r"epochs is \[3\]"),
        ({"recipe": 5}, "was not written by"),
        ({"curated": None}, "was not written by"),
    ],
)
def test_a_damaged_args_file_is_told(
    small_run: Path, tmp_path: Path, args: dict[str, Any], told: str
) -> None:
    from trainer.settings import read_args

    whole = yaml.safe_load((small_run / "args.yaml").read_text())
    read_args(tmp_path, whole)
    with pytest.raises(EnvironmentProblemError, match=told):
        read_args(tmp_path, {**whole, **args})


def test_what_is_no_run_is_told_before_keras_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from trainer.cli import main

    assert main(["fit", "--resume", str(tmp_path / "nowhere")]) == 5
    assert "no such folder" in capsys.readouterr().err
    assert main(["fit", "--resume", str(tmp_path)]) == 5
    told = capsys.readouterr().err
    assert "a folder without args.yaml" in told
    assert "Loading Keras" not in told


def test_a_run_whose_photos_changed_does_not_go_on(
    small_run: Path, tmp_path: Path, curated: Path
) -> None:
    from trainer.fit.fit import resume

    copy = Path(shutil.copytree(small_run, tmp_path / "runs" / "small"))
    (copy / "bundle" / "bundle.json").unlink()
    args = yaml.safe_load((copy / "args.yaml").read_text())
    (copy / "args.yaml").write_text(yaml.safe_dump({**args, "dataset_digest": "0" * 64}))
    with pytest.raises(UsageError, match="other photos now"):
        resume(copy)
    assert (copy / "results.csv").read_bytes() == (small_run / "results.csv").read_bytes()


def test_a_finished_run_is_left_as_it_is(small_run: Path) -> None:
    from trainer.fit.fit import resume

    before = {path: path.stat().st_mtime_ns for path in small_run.rglob("*")}
    assert resume(small_run) == small_run
    assert {path: path.stat().st_mtime_ns for path in small_run.rglob("*")} == before
    assert not RunFolder(small_run).state.exists()


def test_a_killed_training_ends_where_an_unbroken_one_does(small_run: Path, tmp_path: Path) -> None:
    """Killed in the head's epochs, and again in fine-tuning, when its first state is there."""
    args = yaml.safe_load((small_run / "args.yaml").read_text())
    killed = tmp_path / "runs" / "killed"
    options = ["--weights", args["weights"], "--epochs", str(args["epochs"]), "--alpha", "0.35",
               "--fine-tune-epochs", "1", "--image-size", "64", "--batch-size", "16"]  # fmt: skip
    begin = [args["curated"], "--runs", str(killed.parent), "--name", "killed", *options]
    kill_when(lambda: count_rows(killed) >= 3, begin)
    lost = count_rows(killed)
    assert 3 <= lost < 61
    state = load_state(RunFolder(killed).state)
    assert state is not None
    # The line of an epoch is written before its state.
    assert lost - 1 <= sum(state.epochs_done.values()) <= lost
    kill_when(lambda: not is_in_head(killed), ["--resume", str(killed)])
    assert not (killed / "metrics.json").exists()
    done = run_trainer(["--resume", str(killed)])
    assert done.wait(300) == 0
    assert read_epochs(killed) == read_epochs(small_run)
    assert (killed / "predictions.csv").read_bytes() == (small_run / "predictions.csv").read_bytes()


@pytest.mark.slow
def test_ctrl_c_in_the_first_epoch_of_all_keeps_what_was_learned(
    curated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.data.pixels import PixelReader
    from trainer.fit.fit import fit
    from trainer.progress import TrainingStoppedError
    from trainer.settings import FitSettings

    class Interrupting(PixelReader):
        """The first photo that is read is where the user presses Ctrl-C."""

        is_pressed = False

        def read(self, photo: CuratedPhoto) -> RgbImage:
            if not Interrupting.is_pressed:
                Interrupting.is_pressed = True
                os.kill(os.getpid(), signal.SIGINT)
            return super().read(photo)

    monkeypatch.setattr("trainer.fit.training.PixelReader", Interrupting)
    settings = FitSettings(
        curated=curated, runs=tmp_path / "runs", name="cut", weights="none", epochs=2,
        image_size=32, alpha=0.35, batch_size=16,
    )  # fmt: skip
    with pytest.raises(TrainingStoppedError, match="--resume"):
        fit(settings)
    run = RunFolder(tmp_path / "runs" / "cut")
    assert not run.state.exists()
    assert (run.bundle / "bundle.json").is_file()
    assert run.read_metrics()["is_stopped"] is True
    assert [(row.phase, row.epoch) for row in run.read_results()] == [("scratch", 1)]
    assert newest_unfinished(tmp_path / "runs") == run.path


@pytest.mark.parametrize("last", [1, 2])
def test_a_network_that_goes_on_ends_where_an_unbroken_one_does(
    last: int, curated: Path, tmp_path: Path
) -> None:
    """To the last bit: weights, averages, moments and dropout's draws all come back."""
    unbroken, states, told = train_tiny(curated, tmp_path / "unbroken.weights.h5")
    save_state(tmp_path / "state.npz", TrainingState(name="fine_tune", phase=states[last - 1]))
    kept = load_state(tmp_path / "state.npz")
    assert kept is not None
    resumed, _, told_again = train_tiny(curated, tmp_path / "resumed.weights.h5", kept.phase)
    assert told_again == told[last:]
    assert any(
        not np.array_equal(*pair) for pair in zip(unbroken, states[0].arrays["best"], strict=True)
    )
    for one, other in zip(unbroken, resumed, strict=True):
        assert np.array_equal(one, other)


def train_tiny(
    curated: Path, checkpoint: Path, start: PhaseState | None = None
) -> tuple[list[NDArray[np.float32]], list[PhaseState], list[EpochFigures]]:
    """Three epochs of fine-tuning; returns the weights of the best, the states and the figures."""
    from tests.trainer.network.train_placed import SIZE, build_tiny
    from trainer.data.dataset import read_training_photos
    from trainer.data.pixels import PixelReader
    from trainer.fit.callbacks import PhaseHooks
    from trainer.fit.phases import NetworkPhase
    from trainer.fit.validation import predict_logits
    from trainer.network.backbones import open_upper_blocks
    from trainer.network.backend import keras

    photos, reader = read_training_photos(curated), PixelReader(SIZE)
    val = photos.val.photos
    # Another seed where it goes on: nothing of the end may depend on it.
    keras.utils.set_random_seed(1 if start is None else 99)
    network = build_tiny()
    open_upper_blocks(network)
    states: list[PhaseState] = []
    told: list[EpochFigures] = []
    phase = NetworkPhase(
        network,
        Phase(
            epochs=3, batch_size=16, learning_rate=0.01, weight_decay=0.01, patience=3, dropout=0.5
        ),
        label_smoothing=0.05,
        is_scratch=False,
        seed=4,
        checkpoint=checkpoint,
        class_weights=photos.class_weights,
    )
    before = predict_logits(network, val, reader)
    hooks = PhaseHooks(on_epoch=told.append, on_state=states.append)
    phase.run(photos.train.photos, val, reader, hooks, start_logits=before, start=start)
    return network.weights, states, told


def kill_when(is_time: Any, arguments: list[str]) -> None:
    process = run_trainer(arguments)
    ends_s = time.monotonic() + 300
    while not is_time():
        assert process.poll() is None, "it ended before it could be killed"
        assert time.monotonic() < ends_s
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()


def run_trainer(arguments: list[str]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "trainer.cli", "fit", *arguments]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def count_rows(run: Path) -> int:
    return len(RunFolder(run).read_results())


def is_in_head(run: Path) -> bool:
    try:
        state = load_state(RunFolder(run).state)
    except EnvironmentProblemError:
        return True
    return state is None or state.name == "head"


def read_epochs(run: Path) -> list[list[str]]:
    """Every line of `results.csv` but for its seconds."""
    with (run / "results.csv").open(newline="") as file:
        return [line[:-1] for line in csv.reader(file)]
