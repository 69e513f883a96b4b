"""Only the owner can read what a command writes, whatever the umask and whatever was there."""

import json
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
TINY = ["--weights", "none", "--alpha", "0.35", "--image-size", "48", "--epochs", "1"]
RUN = ["--model", "runs/tiny"]

COMMANDS: list[tuple[str, Sequence[str]]] = [
    ("collector", ["import", "own", "data", "--subject", "p01"]),
    ("collector", ["consent", "p01", "--basis", "form 12"]),
    ("curation", ["own", "--dedupe", "--balance", "--expand", "10"]),
    ("trainer", ["fit", *TINY, "--name", "tiny", "--batch-size", "8", "--tensorboard"]),
    ("trainer", ["evaluate", "runs/tiny", "--report", "pages/eval.html"]),
    ("trainer", ["evaluate", "runs/tiny", "--report", "lax/eval.html"]),
    ("trainer", ["compare", "runs/tiny", "--html", "lax/compare.html"]),
    ("trainer", ["export", "runs/tiny", "--to", "onnx", "--to", "keras"]),
    ("detector", ["run", "data/mask_old", *RUN, "--pictures", "pictures", "--json", "events.json"]),
    ("detector", ["run", "demo", *RUN, "--max-frames", "9", "--video", "lax/clip.mp4"]),
    ("detector", ["run", "data/mask_old", *RUN, "--pictures", "lax", "--csv", "lax/faces.csv"]),
    ("detector", ["live", "--source", "demo", *RUN, "--headless", "--frames", "20", "--record",
                  "--recordings", "lax"]),
    ("detector", ["live", "--source", "demo", *RUN, "--headless", "--frames", "20", "--record",
                  "--json", "lax/live.json"]),
    ("detector", ["suggest", "data", *RUN]),
    ("collector", ["doctor", "data", "--fix"]),
]  # fmt: skip
"""Each writes something; `lax` is a folder of the user's with files that everybody may read."""


def may_be_seen(root: Path) -> list[str]:
    """Return what others may look into, sorted, with its mode."""
    found = []
    for folder, _, names in os.walk(root):
        for path in (Path(folder), *(Path(folder) / name for name in names)):
            mode = stat.S_IMODE(path.lstat().st_mode)
            if mode & 0o077:
                found.append(f"{path.relative_to(root)} {mode:o}")
    return sorted(found)


RUN_ALL = """
import importlib, json, os
from pathlib import Path
from tests.test_private_files import COMMANDS, may_be_seen
for package, words in COMMANDS:
    os.umask(0)  # A command leaves its own behind.
    code = importlib.import_module(f"{package}.cli").main(list(words))
    print("\\n" + json.dumps([code, may_be_seen(Path())]), flush=True)
"""
"""One process for all of them: each of its own would spend most of its time on imports."""


def run_all(folder: Path) -> list[tuple[int, list[str]]]:
    """Run the commands with no umask; returns the exit code of each, and what may be seen then."""
    environment = os.environ | {
        "HOME": str(folder / "home"),
        "XDG_CACHE_HOME": str(folder / "home" / "cache"),
        "PYTHONPATH": str(HOUSE),
        "https_proxy": "http://127.0.0.1:9",
    }
    environment.pop("FACE_MODEL", None)
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL],
        cwd=folder,
        env=environment,
        umask=0,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = (line for line in done.stdout.splitlines() if re.match(r"\[\d+, \[", line))
    seen = [(code, found) for code, found in map(json.loads, lines)]
    assert [code for code, _ in seen] == [0] * len(COMMANDS), done.stderr
    return seen


def test_a_program_of_the_user_gets_the_users_umask(tmp_path: Path) -> None:
    script = """
import sys
from maskage.console import run_command
from maskage.classes.ready_made import MASK_AGE
from detector.events.alarm_actions import Alarm, CommandAction
alarm = Alarm("mask_old", 1, 0.9, 0.0, "now", "camera")
action = CommandAction(("sh", "-c", "umask > told; touch theirs"))
def command():
    open("ours", "w").close()
    action.carry_out(alarm)
    return 0
sys.exit(run_command(lambda: run_command(command)))
"""
    environment = os.environ | {"PYTHONPATH": str(HOUSE)}
    subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, umask=0o027, check=True
    )
    assert (tmp_path / "told").read_text().strip() == "0027"
    assert stat.S_IMODE((tmp_path / "theirs").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == 0o600


@pytest.mark.slow
def test_nobody_else_may_see_what_any_command_writes(
    four_folders: Callable[..., Path], tmp_path: Path
) -> None:
    four_folders(9, "own")
    lax = tmp_path / "lax"
    lax.mkdir()
    for name in ("eval.html", "compare.html", "clip.mp4", "faces.csv", "live.json"):
        (lax / name).touch()
        (lax / name).chmod(0o644)
    lax.chmod(0o755)
    (tmp_path / "home").mkdir(0o755)
    mine = set(may_be_seen(tmp_path))
    made: dict[str, str] = {}
    for (package, words), (_, found) in zip(COMMANDS, run_all(tmp_path), strict=True):
        for seen in set(found) - mine:
            made.setdefault(seen, f"{package} {words[0]}")
    assert made == {}
    # What was the user's own keeps its modes; what was written over is closed.
    assert may_be_seen(lax) == [". 755"]
    assert any(path.suffix == ".mp4" for path in lax.iterdir() if path.name != "clip.mp4")
