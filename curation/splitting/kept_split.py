"""Keep the split that photos had in a former set, or in the set of a run: `--keep-split`.

A photo of test stays in test, so a network that was trained on the former set has not met it. What
is known of a photo is known of its whole group; where a group now joins photos of several splits,
it goes where most was learned from: train before val before test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maskage.dataset.photo_scan import PhotoScan, scan_file
from maskage.errors import UsageError
from maskage.formats.curated.curated_set import SPLITS
from maskage.formats.curated.plan_file import has_plan, read_plan
from maskage.formats.run.photos_file import EARLIER, read_run_photos
from maskage.pictures.hamming import find_close_pairs
from maskage.pictures.perceptual_hash import GROUP_BITS, hash_array


@dataclass(frozen=True)
class FormerSplit:
    """The split of photos in a former set, by what identifies them.

    Attributes:
        paths: Split of each photo by its path in the dataset.
        digests: Split of each photo by the sha256 of its file.
        hashes: Perceptual hash and split of each photo that may lie in another place now, and of
            its mirror image.
    """

    paths: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    hashes: Sequence[tuple[int, str]] = ()

    def find(self, scans: Sequence[PhotoScan]) -> list[str | None]:
        """Return the former split of each photo; None for a new one."""
        found = [
            self.paths.get(scan.path) or self.digests.get(scan.file_scan.sha256) for scan in scans
        ]
        unknown = [at for at, split in enumerate(found) if split is None]
        pairs = find_close_pairs(
            hash_array([bits for bits, _ in self.hashes]),
            GROUP_BITS,
            hash_array([scans[at].file_scan.phash for at in unknown]),
        )
        for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
            at = unknown[second]
            found[at] = most_learned(found[at], self.hashes[first][1])
        return found


def most_learned(*splits: str | None) -> str | None:
    """Return the first of train, val and test among some splits; None if all are None."""
    known = [split for split in splits if split is not None]
    return min(known, key=SPLITS.index) if known else None


def describe_kept(former: Sequence[str | None], splits: Sequence[str]) -> str:
    """Say how many photos kept their split, how many could not, and how many are new.

    Args:
        former: Former split of each photo; None for a new one.
        splits: Its split now.
    """
    known = [(before, now) for before, now in zip(former, splits, strict=True) if before]
    moved = sum(before != now for before, now in known)
    news = len(splits) - len(known)
    text = f"{len(known) - moved:,} photos keep their former split, and {news:,} are new."
    if moved:
        text += (
            f" {moved:,} moved towards train, because they belong together with photos that were "
            f"there."
        )
    return text


def read_former_split(folder: Path, present: Sequence[PhotoScan]) -> FormerSplit:
    """Read the split of a former set or of a run.

    Args:
        folder: A set that `curate` made, or a run that `trainer fit` made.
        present: Photos of the dataset, by whose paths those of the set are known that have gone.

    Raises:
        UsageError: It is neither, or a run of an earlier version.
        DatasetError: Its table is damaged.
    """
    photos = read_run_photos(folder)
    if photos is not None:
        # What an earlier run learned from may not be held out either.
        splits = {each.digest: each.split.replace(EARLIER, SPLITS[0]) for each in photos}
        hashes = [
            (bits, splits[each.digest])
            for each in photos
            for bits in (each.phash, each.mirror)
            if bits is not None
        ]
        return FormerSplit(digests=splits, hashes=hashes)
    if not has_plan(folder):
        raise UsageError(
            f"--keep-split {folder}: this is neither a set that `curate` made (no plan.csv) nor a "
            f"run that lists its photos (no photos.csv). Name one of them, or leave the option out."
        )
    rows = [row for row in read_plan(folder) if row.is_kept and not row.parent]
    here = {scan.path for scan in present}
    # A photo that got another label lies in another folder now.
    gone = [(scan_file(folder / row.place, row.path), row.split) for row in rows
            if row.path not in here]  # fmt: skip
    return FormerSplit(
        paths={row.path: row.split for row in rows},
        hashes=[
            (bits, split)
            for scan, split in gone
            if scan.fault is None
            for bits in (scan.phash, scan.mirror)
        ],
    )
