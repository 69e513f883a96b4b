"""The straight way on a whole set of real photographs, with its figures.

    python benchmarks/trainer/real_photos.py FACES --metadata FACES/labels.csv [-- TRAINER OPTIONS]
    python benchmarks/trainer/real_photos.py FACES --metadata FACES/labels.csv --misworn MISWORN

FACES is a folder of the four classes. Runs import, curate, fit and evaluate as a user would, in a
temporary folder (or --work, which is kept), and prints what each took and how good it became.
ImageNet weights come from Keras' cache (KERAS_HOME) or its download.

With --misworn, the classes are those of the scheme mask-state instead: worn, misworn, none. MISWORN
is a folder of masks worn wrongly with a labels.csv of `path` and `group`; photos of FACES whose
column `mask_worn` is "nose_out" or "chin" belong to them.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import MASK_STATES, REAL_PHOTOS

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path)
    parser.add_argument("--metadata", type=Path)
    parser.add_argument("--misworn", type=Path, metavar="MISWORN", help="train mask-state")
    parser.add_argument("--work", type=Path, help="kept; holds data/, curated/ and runs/ then")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    arguments = parser.parse_args(words[:cut])
    arguments.trainer = words[cut + 1 :]
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        if arguments.misworn is None:
            return finish(measure(arguments, work), REAL_PHOTOS)
        return finish(measure_states(arguments, work), MASK_STATES)


def measure(arguments: argparse.Namespace, work: Path) -> dict[str, object]:
    metadata = ["--metadata", str(arguments.metadata.resolve())] if arguments.metadata else []
    step(work, "collector", "import", str(arguments.faces.resolve()), *metadata)
    scores, seconds = train(work, arguments.trainer)
    names = ("accuracy", "accuracy_interval", "mask_accuracy", "age_accuracy")
    return {**{name: scores[name] for name in names}, "seconds": seconds}


def measure_states(arguments: argparse.Namespace, work: Path) -> dict[str, object]:
    faces, misworn = arguments.faces.resolve(), arguments.misworn.resolve()
    table = work / "states.csv"
    write_states(arguments.metadata, table)
    step(work, "collector", "init", "--classes", "mask-state")
    step(work, "collector", "import", str(faces), "--metadata", str(table.resolve()))
    step(work, "collector", "import", str(misworn), "--label", "misworn",
         "--metadata", str(misworn / "labels.csv"))  # fmt: skip
    scores, seconds = train(work, arguments.trainer)
    return {
        "accuracy": scores["accuracy"],
        "accuracy_interval": scores["accuracy_interval"],
        "recall": scores["factors"]["mask"]["values"],
        "confusion": scores["confusion"],
        "seconds": seconds,
    }


def write_states(labels: Path, table: Path) -> None:
    """Write the state of the mask of each photo of FACES, as a table for the import."""
    with labels.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "group", "label"])
        for row in rows:
            is_bare = row["path"].startswith("nomask")
            is_misworn = row["mask_worn"] in ("nose_out", "chin")
            state = "misworn" if is_misworn else "none" if is_bare else "worn"
            writer.writerow([row["path"], row["group"], state])


def train(work: Path, options: list[str]) -> tuple[dict[str, Any], dict[str, float]]:
    """Curate, train and evaluate; return the scores, and what the training took, s."""
    step(work, "curation", "--dedupe", "--balance")
    step(work, "trainer", "fit", "--name", "measured", *options)
    answer = step(work, "trainer", "evaluate", "runs/measured", "--json", quiet=True)
    fitted = json.loads((work / "runs" / "measured" / "metrics.json").read_text())
    return json.loads(answer), fitted["seconds"]


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
