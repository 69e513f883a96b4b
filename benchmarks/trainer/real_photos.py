"""The straight way on a whole set of real photographs, with its figures.

    python benchmarks/trainer/real_photos.py FACES --metadata FACES/labels.csv [-- TRAINER OPTIONS]

FACES is a folder of the four classes. Runs import, curate, fit and evaluate as a user would, in a
temporary folder (or --work, which is kept), and prints what each took and how good it became.
ImageNet weights come from Keras' cache (KERAS_HOME) or its download.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import REAL_PHOTOS

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--metadata", type=Path)
    parser.add_argument("--work", type=Path, help="kept; holds data/, curated/ and runs/ then")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:cut])
    arguments.trainer = words[cut + 1 :]
    with tempfile.TemporaryDirectory() as temporary:
        return finish(measure(arguments, arguments.work or Path(temporary)), REAL_PHOTOS)


def measure(arguments: argparse.Namespace, work: Path) -> dict[str, object]:
    work.mkdir(parents=True, exist_ok=True)
    metadata = ["--metadata", str(arguments.metadata.resolve())] if arguments.metadata else []
    step(work, "collector", "import", str(arguments.faces.resolve()), *metadata)
    step(work, "curation", "--dedupe", "--balance")
    step(work, "trainer", "fit", "--name", "measured", *arguments.trainer)
    answer = step(work, "trainer", "evaluate", "runs/measured", "--json", quiet=True)
    scores = json.loads(answer)
    fitted = json.loads((work / "runs" / "measured" / "metrics.json").read_text())
    names = ("accuracy", "accuracy_interval", "mask_accuracy", "age_accuracy")
    return {**{name: scores[name] for name in names}, "seconds": fitted["seconds"]}


def step(work: Path, package: str, *words: str, quiet: bool = False) -> str:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", f"{package}.cli", *words],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    if not quiet:
        print(done.stdout, file=sys.stderr)
    seconds = time.monotonic() - started
    print(f"-- {package} {words[0]}: {seconds:.1f} s\n", file=sys.stderr, flush=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
