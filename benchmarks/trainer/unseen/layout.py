"""Folders of train, val and test from photos whose split is known."""

import argparse
import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.trainer.unseen.cases import Case
from benchmarks.trainer.unseen.folds import Fold
from curation.build.augment import make_pipeline, make_variant
from curation.options import read_share
from curation.plan.mask_plan import plan_painted_masks
from curation.plan.plan import CurationPlan, PlannedPhoto
from curation.settings import CurationSettings, PaintingSettings
from maskage.classes.ready_made import MASK_AGE
from maskage.console import show_progress
from maskage.faces.finder import obtain_face_model
from maskage.formats.curated.curated_set import SPLITS
from maskage.formats.curated.plan_file import PLAN_COLUMNS, PLAN_FILE
from maskage.pictures.images import encode_jpeg


def add_painting(parser: argparse.ArgumentParser) -> None:
    """Add the option for painted masks."""
    parser.add_argument(
        "--paint-masks",
        type=read_share,
        metavar="SHARE",
        help="share of the bare faces of train, as for `curate`; YuNet: FACE_MODEL, or downloaded",
    )


def choose_painting(share: float | None) -> PaintingSettings | None:
    """Return the settings of `curate --paint-masks SHARE`; None for no painting."""
    return None if share is None else PaintingSettings(share, obtain_face_model().resolve())


def copy_by_split(folder: Path, cases: Sequence[Case], fold: Fold) -> None:
    """Copy the photos into `folder`/SPLIT/CLASS, which is created."""
    for split in SPLITS:
        for label in MASK_AGE.labels:
            (folder / split / label).mkdir(parents=True)
    for at, split in fold.split_of.items():
        shutil.copyfile(cases[at].file, folder / split / cases[at].photo.path)


def write_groups(table: Path, cases: Sequence[Case], fold: Fold) -> None:
    """Write the groups of the photos of `copy_by_split`, as `collector import` reads them."""
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "group"])
        for at, split in fold.split_of.items():
            writer.writerow([f"{split}/{cases[at].photo.path}", f"g{cases[at].group}"])


def lay_out(
    faces: Path,
    curated: Path,
    cases: Sequence[Case],
    fold: Fold,
    painting: PaintingSettings | None = None,
) -> None:
    """Write a curated folder like `curate`: train, val and test of the four classes, and plan.csv.

    Args:
        faces: Folder of the four classes.
        curated: Folder to create.
        cases: Photos of `faces`.
        fold: Split of each photo.
        painting: Settings of masks to paint on bare faces of train; None for none.
    """
    copy_by_split(curated, cases, fold)
    photos = [
        PlannedPhoto(
            path=cases[at].photo.path,
            label=cases[at].photo.label,
            kept=True,
            group=f"g{cases[at].group}",
            split=split,
        )
        for at, split in fold.split_of.items()
    ]
    variants = [] if painting is None else write_painted(faces, curated, photos, painting)
    with (curated / PLAN_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(PLAN_COLUMNS)
        for p in (*photos, *variants):
            writer.writerow([p.path, p.label, 1, p.reason, p.group, p.split, p.parent or ""])


def write_painted(
    faces: Path, curated: Path, photos: Sequence[PlannedPhoto], painting: PaintingSettings
) -> list[PlannedPhoto]:
    """Paint masks on faces of train, write the variants, and return them."""
    settings = CurationSettings(painting=painting)
    masks = plan_painted_masks(
        faces, photos, MASK_AGE, painting, seed=settings.seed, progress=show_progress
    )
    variants = list(masks.variants)
    plan = CurationPlan(faces, settings, MASK_AGE, (*photos, *variants))
    pipeline = make_pipeline()
    for variant in show_progress(variants, "making variants", len(variants)):
        varied = make_variant(pipeline, plan, variant)
        (curated / variant.split / variant.path).write_bytes(encode_jpeg(varied))
    return variants
