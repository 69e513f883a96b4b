"""How well near-duplicates are found: recall and precision against a folder with known truth.

    python benchmarks/curation/duplicates.py FOLDER

FOLDER holds pictures and groups.csv with the columns file, group, kind, where kind starts with
"exact" or "near" for members of a group and is "single" for pictures that no other resembles.
Beside our figures stand those of imagededup's PHash with its own encodings, where it is installed
(pip install imagededup); it does not look for mirrored copies. Both take a worker for each core.
"""

import argparse
import csv
import logging
import os
import sys
import time
import warnings
from collections import defaultdict
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import DUPLICATES
from curation.scan.scanning import scan_photos
from curation.settings import REMOVE_BITS
from maskage.dataset.photo_scan import PhotoScan
from maskage.pictures.hamming import find_close_pairs
from maskage.pictures.perceptual_hash import hash_array
from maskage.records import Photo

Pair = tuple[str, str]
RADII = (0, 2, 4, 6, 8)
THEIR_RADII = (4, 8, 10)


def main() -> int:
    """Print one line a radius, without and with mirrored copies; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    with (folder / "groups.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    started = clock()
    # The label says nothing here: it only tells the scan which photos there are.
    photos = [Photo(row["file"], "mask_old") for row in rows]
    scans = list(scan_photos(folder, photos))
    hashed = f"hashed, and measured for quality, in {since(started)}"
    usable = [scan for scan in scans if not scan.file_scan.fault]
    truth = {kind: true_pairs(rows, kind) for kind in ("exact", "near")}
    overlooked = overlooked_pairs(rows, scans)
    known = set().union(*truth.values()) | overlooked
    more = len(overlooked - truth["exact"] - truth["near"])
    print(f"{len(rows)} pictures, {len(rows) - len(usable)} unreadable; ", end="")
    print(f"{len(truth['exact'])} exact and {len(truth['near'])} near pairs,")
    print(f"and {more} more that count as true: their groups hold, byte for byte, the same file")
    print(f"{'':<10} radius mirror   exact    near precision  pairs")
    started = clock()
    for has_mirror in (False, True):
        for radius in RADII:
            found = search(usable, radius, has_mirror)
            figures = print_line("ours", radius, has_mirror, truth, known, found)
            if (radius, has_mirror) == (REMOVE_BITS, True):
                ours = figures
    print(f"ours: {hashed}; searched {2 * len(RADII)} times in {since(started)}")
    print_imagededup(folder, {row["file"] for row in rows}, truth, known)
    false = search(usable, REMOVE_BITS, True) - known
    print(f"The {len(false)} pairs at radius {REMOVE_BITS} that the truth does not know:")
    print("\n".join(f"    {one}  {other}" for one, other in sorted(false)))
    return finish({"ours": ours}, DUPLICATES)


def print_imagededup(
    folder: Path, files: set[str], truth: dict[str, set[Pair]], known: set[Pair]
) -> None:
    """The same lines for imagededup, and how long it took."""
    if find_spec("imagededup") is None:
        print("imagededup is not installed: pip install imagededup")
        return
    from imagededup.methods import PHash

    # It tells every step, and warns of groups.csv.
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore", RuntimeWarning)
    hasher = PHash(verbose=False)
    started = clock()
    encodings = hasher.encode_images(folder)
    hashed = f"hashed in {since(started)}"
    started = clock()
    for radius in THEIR_RADII:
        similar = hasher.find_duplicates(
            encoding_map={name: code for name, code in encodings.items() if name in files},
            max_distance_threshold=radius,
        )
        found = {
            (min(one, other), max(one, other))
            for one, others in similar.items()
            for other in others
        }
        print_line("imagededup", radius, False, truth, known, found)
    print(f"imagededup: {hashed}; searched {len(THEIR_RADII)} times in {since(started)}")


def clock() -> tuple[float, float]:
    """Seconds gone by, and seconds of processor time, of ended workers too."""
    times = os.times()
    cpu_s = times.user + times.system + times.children_user + times.children_system
    return time.perf_counter(), cpu_s


def since(started: tuple[float, float]) -> str:
    wall_s, cpu_s = (now - then for now, then in zip(clock(), started, strict=True))
    return f"{wall_s:.2f} s ({cpu_s:.2f} CPU-s)"


def true_pairs(rows: list[dict[str, str]], kind: str) -> set[Pair]:
    """Every pair of pictures of one group of that kind."""
    groups = defaultdict(list)
    for row in rows:
        if row["kind"].startswith(kind):
            groups[row["group"]].append(row["file"])
    return {pair for files in groups.values() for pair in combinations(sorted(files), 2)}


def search(scans: list[PhotoScan], radius: int, has_mirror: bool) -> set[Pair]:
    """Every pair that curation would call near at this radius."""
    names = [scan.photo.path for scan in scans]
    hashes = hash_array([scan.file_scan.phash for scan in scans])
    found = find_close_pairs(hashes, radius)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    if has_mirror:
        found = find_close_pairs(
            hashes, radius, hash_array([scan.file_scan.mirror for scan in scans])
        )
        pairs += zip(found.first.tolist(), found.second.tolist(), strict=True)
    return {
        (min(names[one], names[other]), max(names[one], names[other]))
        for one, other in pairs
        if one != other
    }


def overlooked_pairs(rows: list[dict[str, str]], scans: list[PhotoScan]) -> set[Pair]:
    """Pairs across groups of the table that share a file's very content."""
    group_of = {row["file"]: row["group"] for row in rows}
    by_content = defaultdict(set)
    for scan in scans:
        by_content[scan.file_scan.sha256].add(group_of[scan.photo.path])
    pairs: set[Pair] = set()
    for names in by_content.values():
        if len(names) > 1:
            pairs |= set(combinations(sorted(f for f, g in group_of.items() if g in names), 2))
    return pairs


def print_line(
    who: str,
    radius: int,
    has_mirror: bool,
    truth: dict[str, set[Pair]],
    known: set[Pair],
    found: set[Pair],
) -> dict[str, float]:
    """Print recall and precision of one search, and return them."""
    recall = {kind: len(found & pairs) / len(pairs) for kind, pairs in truth.items()}
    precision = len(found & known) / len(found) if found else 1.0
    print(
        f"{who:<10} {radius:>6} {'yes' if has_mirror else 'no':>6} {recall['exact']:>7.3f} "
        f"{recall['near']:>7.3f} {precision:>9.3f} {len(found):>6}"
    )
    return {**recall, "precision": precision}


if __name__ == "__main__":
    sys.exit(main())
