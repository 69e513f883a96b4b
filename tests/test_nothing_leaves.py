"""Nothing leaves the machine, and nothing is written but what a command names.

Every command runs under strace with an empty home. ONNX Runtime reported to its maker only after
some ten seconds, so what runs for long is watched for longer than that.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

import pytest

from curation.labels.embedding import WEIGHTS_URL
from detector.tour.photograph import photograph_cast
from detector.tour.tour import split_cast
from maskage.dataset.store import PhotoStore
from maskage.faces.finder import FACE_MODEL_URL, GuideFinder
from tests.detector.conftest import seal_bundle, write_color_model
from tests.traced import ROOT, Command, Traces, trace
from tests.trainer.conftest import make_curated

LONG_S = 13.0
"""ONNX Runtime 1.32 asks for its maker's address about 10 s after it is imported."""

SIDE_BY_SIDE = 5
"""Most commands wait for their camera; those that compute are two rows, one after the other."""

FACE_MODEL_HOST = frozenset({FACE_MODEL_URL.split("/")[2]})
WEIGHTS_HOST = frozenset({WEIGHTS_URL.split("/")[2]})

CACHE = ".cache/maskage"
"""The tool's own cache, in the home."""

WEIGHTS_FOLDER = ".keras/models"
"""The folder of weights that all programs with Keras share; only a download writes there."""

BUNDLE = ("--model", "colors")
LIVE = ("-m", "detector.cli", "live", "--source", "demo", *BUNDLE)
COLLECTOR = ("-m", "collector.cli")
TRAINER = ("-m", "trainer.cli")
SMALL = ("--weights", "small.weights.h5", "--alpha", "0.35", "--image-size", "64")
SHORT = ("--epochs", "3", "--fine-tune-epochs", "0")

WRITE_WEIGHTS = """
from pathlib import Path
from tests.trainer.conftest import write_backbone_weights
write_backbone_weights(Path("small.weights.h5"))
"""

SHORT_DEMO = """
import sys
import detector.tour.tour
from detector.cli import main
tour = detector.tour.tour
tour.EPOCHS, tour.LIVE_ROUNDS, tour.FEWEST_PHOTOS = 1, 1, 60
sys.exit(main(["demo", "--photos", "60"]))
"""

TRAINING = (
    Command("a script with Keras", ("-c", WRITE_WEIGHTS), ("small.weights.h5",)),
    Command("trainer fit", (*TRAINER, "fit", "drawn", "--name", "one", "--tensorboard", *SMALL,
            *SHORT), ("runs",)),
    Command("trainer fit on JAX", (*TRAINER, "fit", "drawn", "--name", "two", *SMALL, *SHORT),
            ("runs",), environment={"KERAS_BACKEND": "jax"}),
    Command("trainer evaluate", (*TRAINER, "evaluate", "runs/one", "--report", "page.html"),
            ("page.html",)),
    Command("trainer compare", (*TRAINER, "compare", "--html", "compared.html"),
            ("compared.html",)),
    Command("trainer export", (*TRAINER, "export", "runs/one", "--to", "openvino", "--to",
            "tflite"), ("runs",)),
    Command("detector bench --formats", ("-m", "detector.cli", "bench", "--model", "runs/one",
            "--formats"), downloads=FACE_MODEL_HOST),
    Command("trainer leak", (*TRAINER, "leak", "curated", *SMALL), ("runs",)),
    Command("trainer cross-validate", (*TRAINER, "cross-validate", "curated", *SMALL), ("runs",)),
)  # fmt: skip

TOUR = (
    Command("detector demo", ("-c", SHORT_DEMO), ("demo",)),
    Command("curate --check-labels", ("-m", "curation.cli", "sound", "--check-labels",
            "--processes", "--workers", "2", "--out", "checked"),
            ("checked", ".checked-building-*", "sound"), downloads=WEIGHTS_HOST),
)  # fmt: skip

WATCHING = (
    Command("collector", (*COLLECTOR, "shot", "--source", "demo", "--subject", "p07", "--gate",
            "off"), ("shot",), FACE_MODEL_HOST, keys="11uq", seconds=LONG_S),
    Command("collector review", (*COLLECTOR, "review", "looked_at"), ("looked_at",),
            keys="1q", seconds=LONG_S),
    Command("detector live --headless", (*LIVE, "--headless", "--record", "--json", "live.jsonl",
            "--seconds", str(LONG_S)), ("recordings", "live.jsonl"), FACE_MODEL_HOST),
    Command("detector live --terminal", (*LIVE, "--terminal"), ("snapshots",), FACE_MODEL_HOST,
            keys="sq", seconds=LONG_S),
    Command("detector serve", ("-m", "detector.cli", "serve", "--source", "demo", "--port", "0",
            *BUNDLE), downloads=FACE_MODEL_HOST, seconds=LONG_S, code=130),
    Command("detector serve --no-camera", ("-m", "detector.cli", "serve", "--no-camera", "--port",
            "0", *BUNDLE), downloads=FACE_MODEL_HOST, seconds=LONG_S, code=130),
    Command("detector run", ("-m", "detector.cli", "run", "demo", "--max-frames", "1000000",
            "--json", "run.jsonl", "--csv", "run.csv", "--video", "run.mp4", *BUNDLE),
            ("run.jsonl", "run.csv", "run.mp4"), FACE_MODEL_HOST, seconds=LONG_S, code=130),
    Command("detector bench", ("-m", "detector.cli", "bench", "--frames", "1000000", *BUNDLE),
            downloads=FACE_MODEL_HOST, seconds=LONG_S, code=130),
    Command("a script with the classifier", ("-c", "import time, maskage.inference.classifier; "
            f"time.sleep({LONG_S})")),
    Command("a script with the engine", ("-c", "import time, maskage.inference.onnx_engine; "
            f"time.sleep({LONG_S})"), environment={"ORT_DISABLE_TELEMETRY": "0"}),
)  # fmt: skip

QUICK = (
    Command("collector import", (*COLLECTOR, "import", "drawn/train", "imported", "--find-faces"),
            ("imported",), FACE_MODEL_HOST),
    Command("collector status", (*COLLECTOR, "status", "data"), ("data",)),
    Command("collector doctor", (*COLLECTOR, "doctor", "data"), ("data",)),
    Command("collector consent", (*COLLECTOR, "consent", "p07", "--self", "--data", "data"),
            ("data",)),
    Command("collector cameras", (*COLLECTOR, "cameras")),
    Command("detector suggest", ("-m", "detector.cli", "suggest", "data", *BUNDLE), ("data",)),
    Command("curate", ("-m", "curation.cli", "data", "--dedupe", "--balance", "--out", "again"),
            ("again", ".again-building-*", "data")),
    Command("collector forget", (*COLLECTOR, "forget", "p07", "--data", "data", "--yes"),
            ("data",)),
)  # fmt: skip

COMMANDS = {command.name: command for command in (*TRAINING, *TOUR, *WATCHING, *QUICK)}


def require_strace() -> None:
    """Skip where strace cannot work; where the project is checked for good (`.ci/run`), fail."""
    reason = why_no_strace()
    if reason is not None:
        assert "CI" not in os.environ, reason
        pytest.skip(reason)


def why_no_strace() -> str | None:
    """Say what keeps strace from working, or None."""
    if shutil.which("strace") is None:
        return "strace is not installed (Debian: apt install strace)"
    tried = subprocess.run(
        ["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "true"], capture_output=True, text=True
    )
    return None if tried.returncode == 0 else f"strace does not work here: {tried.stderr.strip()}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project: a dataset of rendered people, drawn faces curated by hand, a small bundle."""
    root = tmp_path_factory.mktemp("project")
    with PhotoStore(root / "data") as store:
        for _ in photograph_cast(store, split_cast()[0], 80, GuideFinder()):
            pass
    for copy in ("looked_at", "sound"):
        shutil.copytree(root / "data", root / copy)
    make_curated(root / "drawn")
    write_color_model(root / "colors" / "model.onnx")
    seal_bundle(root / "colors")
    words = ["-m", "curation.cli", "sound", "--out", "curated"]
    subprocess.run(
        [sys.executable, *words], cwd=root, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    return root


@pytest.fixture(scope="module")
def traces(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Traces]:
    """The traces of every command, by its name."""
    require_strace()
    places = tmp_path_factory.mktemp("places")

    def run(commands: Sequence[Command]) -> list[tuple[str, Traces]]:
        return [(each.name, trace(each, folder, places / each.name)) for each in commands]

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        groups = [TRAINING, TOUR, QUICK, *([command] for command in WATCHING)]
        return dict(pair for group in pool.map(run, groups) for pair in group)


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_speaks_to_nobody_and_writes_only_what_it_names(
    name: str, traces: dict[str, Traces], folder: Path
) -> None:
    command, found = COMMANDS[name], traces[name]
    assert found.code == command.code, found.output
    assert found.downloads <= command.downloads
    assert found.lookups == ()
    assert found.addresses == ()
    homes = [found.home / CACHE, found.temporary, Path("/dev"), Path("/proc/self")]
    # Where a dataset remembers what was written elsewhere, for `forget`.
    homes.append(folder / "data" / ".dataset" / "outputs.jsonl")
    if command.downloads & WEIGHTS_HOST:
        homes.append(found.home / WEIGHTS_FOLDER)
    outside = [path for path in found.written if not is_within(path, homes, found.home)]
    assert [path for path in outside if not is_named(path, command.writes, folder)] == []
    assert found.left == ()


def is_within(path: Path, allowed: Sequence[Path], home: Path) -> bool:
    """Return True if a path lies in an allowed one, or is a folder of the home that leads there."""
    return any(
        path.is_relative_to(each) or (path.is_relative_to(home) and each.is_relative_to(path))
        for each in allowed
    )


def is_named(path: Path, patterns: Sequence[str], folder: Path) -> bool:
    """Return True if a path in the folder is, or lies in, what one of the patterns names."""
    if not path.is_relative_to(folder) or path == folder:
        return False
    first = path.relative_to(folder).parts[0]
    return any(fnmatch(first, pattern) for pattern in patterns)


TELLTALE = """
import socket, sys
from pathlib import Path
from urllib.request import urlopen
from urllib.error import URLError

# Nothing is sent to either: this only says where something would go.
for address in (("192.0.2.1", 9), ("127.0.0.53", 53)):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unsent:
        unsent.connect(address)
(Path.home() / "intel").mkdir()
(Path.home() / "intel" / "id").write_text("lasting")
Path("unnamed").write_text("")
import tempfile
tempfile.mkstemp()
try:
    urlopen("https://maker.example/report")
except URLError:
    sys.exit(7)
"""


@pytest.mark.slow
def test_the_test_would_notice(tmp_path: Path) -> None:
    require_strace()
    (tmp_path / "folder").mkdir()
    found = trace(Command("", ("-c", TELLTALE)), tmp_path / "folder", tmp_path / "place")
    assert found.code == 7, found.output
    assert found.addresses == ("connect 192.0.2.1",)
    assert len(found.lookups) == 1
    assert found.downloads == {"maker.example"}
    assert {found.home / "intel" / "id", tmp_path / "folder" / "unnamed"} < set(found.written)
    assert not is_within(found.home / "intel", [found.home / CACHE], found.home)
    assert len(found.left) == 1
