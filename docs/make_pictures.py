"""Make the README's pictures of both screens: `python docs/make_pictures.py`.

Needs Xvfb, xterm, tmux and ImageMagick's `import` (Debian: xvfb, xterm, tmux, imagemagick), and
YuNet, which is fetched where `FACE_MODEL` names no copy. Both screens run on rendered people, in a
real terminal, and the terminal's window is photographed.
"""

import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from detector.tour.photograph import photograph_cast
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from maskage.demo.camera import DEMO_SUBJECTS, DemoCamera
from maskage.faces.finder import GuideFinder, obtain_face_model
from maskage.records import Suggestion

DOCS = Path(__file__).parent
COLUMNS, ROWS = 120, 40
SCENE_S, FPS = 3.0, 30.0
"""Of the demo camera, as `--source demo` opens it."""
DISPLAY = ":77"
PROGRAMS = ("Xvfb", "xterm", "tmux", "import")


def main() -> int:
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        print(f"Not here: {', '.join(missing)}. See the top of {__file__}.", file=sys.stderr)
        return 5
    model = shlex.quote(str(obtain_face_model().resolve()))
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        fill(data)
        screen = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "1400x1000x24"])
        try:
            time.sleep(1)
            photograph(
                folder, "collector review data", ["l", "f", "l", "j"], 0.5, DOCS / "gallery.png"
            )
            photograph(
                folder,
                f"collector data --source demo --subject p07 --face-model {model}",
                right_keys(10),
                SCENE_S,
                DOCS / "collector.png",
            )
        finally:
            screen.terminate()
            screen.wait()
    return 0


def fill(data: Path) -> None:
    """A dataset of rendered people, with suggestions as a model with some doubts makes them."""
    cast = [subject.subject_id for subject in DEMO_SUBJECTS[:8]]
    with PhotoStore(data) as store:
        for _ in photograph_cast(store, cast, 160, GuideFinder()):
            pass
        chance = random.Random(3)
        store.suggest(
            (
                photo,
                Suggestion(
                    photo.label if chance.random() < 0.9 else chance.choice(MASK_AGE.labels),
                    chance.uniform(0.5, 1.0),
                ),
            )
            for photo in store.photos()
        )


def right_keys(scenes: int) -> list[str]:
    """The key of the class that the demo camera shows in each of its first scenes."""
    camera = DemoCamera()
    middles = (round((scene + 0.5) * SCENE_S * FPS) for scene in range(scenes))
    labels = [camera.faces_at(at)[0].label for at in middles]
    return [str(1 + MASK_AGE.index(label)) for label in labels if label is not None]


def photograph(
    folder: str, command: str, keys: Sequence[str], period_s: float, target: Path
) -> None:
    """Run a command in a terminal, press a key every `period_s`, and save its window."""
    program = f"{sys.executable} -m collector.cli {command.removeprefix('collector ')}"
    environment = {**os.environ, "DISPLAY": DISPLAY, "COLORTERM": "truecolor", "HOME": folder}
    environment |= {"https_proxy": "http://127.0.0.1:9"}
    tmux = ["tmux", "-L", "pictures", "-f", "/dev/null"]

    def run(words: str) -> None:
        subprocess.run([*tmux, *shlex.split(words)], check=True, env=environment)

    run(f"new-session -d -s p -x {COLUMNS} -y {ROWS} -c {folder} {shlex.quote(program)}")
    run("set -ga terminal-overrides ,*:Tc")
    run("set -g status off")
    window = subprocess.Popen(
        ["xterm", "-geometry", f"{COLUMNS}x{ROWS}+0+0", "-fa", "DejaVu Sans Mono", "-fs", "10",
         "-b", "0", "-xrm", "XTerm*directColor: true", "-e", *tmux, "attach", "-t", "p"],
        env=environment,
    )  # fmt: skip
    try:
        shown_s = wait_for_picture([*tmux, "capture-pane", "-p", "-t", "p"], environment)
        for number, key in enumerate(keys):
            time.sleep(max(0.0, shown_s + (number + 0.5) * period_s - time.monotonic()))
            run(f"send-keys -t p {key}")
        time.sleep(0.6)
        grab = ["import", "-window", "root", "-trim", "+repage", str(target)]
        subprocess.run(grab, check=True, env=environment)
    finally:
        run("kill-server")
        window.wait()


def wait_for_picture(capture: list[str], environment: dict[str, str]) -> float:
    """When the first picture is there, by the monotonic clock."""
    while True:
        answer = subprocess.run(capture, capture_output=True, text=True, env=environment)
        if "▀▀▀▀▀▀" in answer.stdout:
            return time.monotonic()
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
