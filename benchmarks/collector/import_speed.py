"""How long it takes to bring in a folder of photos, beside the least that can be done.

    python benchmarks/collector/import_speed.py FACES --metadata FACES/labels.csv
    python benchmarks/collector/import_speed.py FACES --beside ../older-checkout

The plain loop reads, decodes and hashes each picture, and writes it with a sync of the file and of
its folder: what saving a photo cannot do without. With `--beside`, the `collector import` of
another checkout is timed by turns with this one, in the same Python. Each is run several times, and
the quickest counts.
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import IMPORT_SPEED
from maskage.pictures.images import decode_image
from maskage.pictures.picture_kinds import walk_pictures

HERE = Path(__file__).resolve().parents[2]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", type=Path, help="class folders of photos")
    parser.add_argument("--metadata", type=Path, help="a table for collector import")
    parser.add_argument("--beside", type=Path, help="another checkout of this project")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    words = [str(arguments.faces.resolve())]
    table = ["--metadata", str(arguments.metadata.resolve())] if arguments.metadata else []
    trees = {"this": HERE} | ({"beside": arguments.beside.resolve()} if arguments.beside else {})
    times: dict[str, list[float]] = {"plain": [], **{name: [] for name in trees}}
    for _ in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            times["plain"].append(time_plain_loop(arguments.faces, Path(folder)))
            for name, tree in trees.items():
                data = Path(folder) / name
                times[name].append(time_import(tree, [*words, str(data), *table]))
    best = {name: min(found) for name, found in times.items()}
    figures = {
        "photos": sum(1 for _ in walk_pictures(arguments.faces)),
        "seconds": {name: round(value, 2) for name, value in best.items()},
        "times_plain": round(best["this"] / best["plain"], 2),
    }
    if arguments.beside:
        figures["times_beside"] = round(best["this"] / best["beside"], 2)
    return finish(figures, IMPORT_SPEED)


def time_plain_loop(faces: Path, folder: Path) -> float:
    """Return the seconds that the plain loop takes."""
    started_s = time.monotonic()
    handle = os.open(folder, os.O_RDONLY)
    for number, path in enumerate(walk_pictures(faces)):
        data = path.read_bytes()
        hashlib.sha256(data)
        decode_image(data)
        with (folder / f"{number}.jpg").open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.fsync(handle)
    os.close(handle)
    return time.monotonic() - started_s


def time_import(tree: Path, words: list[str]) -> float:
    """Return the seconds that `collector import` of a checkout takes."""
    started_s = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "collector.cli", "import", *words],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},
        check=True,
        capture_output=True,
    )
    return time.monotonic() - started_s


if __name__ == "__main__":
    sys.exit(main())
