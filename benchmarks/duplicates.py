"""How well near-duplicates are found: recall and precision against a folder with known truth.

    python benchmarks/duplicates.py FOLDER

FOLDER holds pictures and groups.csv with the columns file, group, kind, where kind starts with
"exact" or "near" for members of a group and is "single" for pictures that no other resembles.
"""

import csv
import sys
import time
from collections import defaultdict
from itertools import combinations
from pathlib import Path

from collector.hamming import find_close_pairs
from collector.records import Label, Photo
from curation.duplicates import REMOVE_BITS
from curation.hashing import PhotoScan, hash_array, scan_photos

Pair = tuple[str, str]
RADII = (0, 2, 4, 6, 8)


def main() -> int:
    """Print one line a radius, without and with mirrored copies; returns the exit code."""
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    folder = Path(sys.argv[1])
    with (folder / "groups.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    started = time.perf_counter()
    # The label says nothing here: it only tells the scan which photos there are.
    photos = [Photo(row["file"], Label.MASK_OLD) for row in rows]
    scans = list(scan_photos(folder, photos))
    seconds = time.perf_counter() - started
    print(f"{len(scans)} pictures scanned in {seconds:.1f} s ({len(scans) / seconds:.0f} a second)")
    unreadable = [scan.photo.path for scan in scans if scan.fault]
    print(f"{len(unreadable)} unreadable")
    truth = {kind: true_pairs(rows, kind) for kind in ("exact", "near")}
    known = set().union(*truth.values()) | overlooked_pairs(rows, scans)
    print(
        f"{len(known) - len(truth['exact'] | truth['near'])} pairs are true but not in the table:"
    )
    print("    their groups hold, byte for byte, the same file; they count as true below")
    print(f"{'radius':>6} {'mirror':>6} {'exact':>7} {'near':>7} {'precision':>9} {'pairs':>6}")
    for has_mirror in (False, True):
        for radius in RADII:
            print_line(radius, has_mirror, truth, known, search(scans, radius, has_mirror))
    false = search(scans, REMOVE_BITS, True) - known
    print(f"The {len(false)} pairs at radius {REMOVE_BITS} that the truth does not know:")
    print("\n".join(f"    {one}  {other}" for one, other in sorted(false)))
    return 0


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
    hashes = hash_array([scan.phash for scan in scans])
    found = find_close_pairs(hashes, radius)
    pairs = list(zip(found.first.tolist(), found.second.tolist(), strict=True))
    if has_mirror:
        found = find_close_pairs(hashes, radius, hash_array([scan.mirror for scan in scans]))
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
        by_content[scan.sha256].add(group_of[scan.photo.path])
    pairs: set[Pair] = set()
    for names in by_content.values():
        if len(names) > 1:
            pairs |= set(combinations(sorted(f for f, g in group_of.items() if g in names), 2))
    return pairs


def print_line(
    radius: int, has_mirror: bool, truth: dict[str, set[Pair]], known: set[Pair], found: set[Pair]
) -> None:
    recall = {kind: len(found & pairs) / len(pairs) for kind, pairs in truth.items()}
    precision = len(found & known) / len(found) if found else 1.0
    print(
        f"{radius:>6} {'yes' if has_mirror else 'no':>6} {recall['exact']:>7.3f} "
        f"{recall['near']:>7.3f} {precision:>9.3f} {len(found):>6}"
    )


if __name__ == "__main__":
    sys.exit(main())
