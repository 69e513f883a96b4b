"""Write an export beside its place and swap it in; an interruption leaves the former one or this.

A zip is made of the folder, with its files sorted and their times fixed: the same photos give the
same bytes.
"""

import os
import zipfile
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from curation.export.card import CARD_FILE, make_card
from curation.export.coco import IMAGES, Box, face_in_photo, write_coco
from curation.export.croissant import write_croissant
from curation.export.facts import (
    METADATA_FILE,
    ExportFacts,
    ExportWishes,
    PictureFacts,
    facts_of,
    format_metadata,
)
from curation.export.parquet import ParquetWriter
from curation.export.pictures import ExportPicture, Unexported, prepare_pictures
from curation.export.source import ExportSource
from maskage.console import Progress, no_progress
from maskage.errors import DatasetError, EnvironmentProblemError, UsageError
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme
from maskage.formats.curated.export_file import (
    COCO,
    PARQUET,
    ZIP,
    ExportRecord,
    is_export,
    write_export,
)
from maskage.installation import installed_version
from maskage.system.faults import explain_fault
from maskage.system.files import sync_folder, write_private
from maskage.system.swap_folder import RESULT, building_folder, swap_in

_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_FILE_MODE = 0o100644


@dataclass(frozen=True)
class Export:
    """A finished export.

    Attributes:
        out: The folder or zip.
        facts: Everything it says of its photos.
        left_out: Number of photos that stayed, by reason, the most frequent first.
    """

    out: Path
    facts: ExportFacts
    left_out: dict[str, int]


def export_photos(
    source: ExportSource,
    out: Path,
    wishes: ExportWishes,
    *,
    may_replace: bool = False,
    progress: Progress = no_progress,
) -> Export:
    """Write an export of a curated set or a dataset.

    Args:
        source: What is exported; it is only read.
        out: The folder or zip to make.
        wishes: Wishes of the user.
        may_replace: True to replace a former export as a whole.
        progress: Shows photos as they are written.

    Raises:
        UsageError: `out` is there and may not be replaced, or lies in the source or holds it.
        DatasetError: No photo may leave.
        EnvironmentProblemError: The disk refused.
    """
    out = Path(os.path.realpath(out))
    require_free(source, out, wishes.to, may_replace=may_replace)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with building_folder(out) as building:
            done = _write(source, out, wishes, building / RESULT, progress)
            _put_in_place(building, out, wishes)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{out}: could not be written {explain_fault(fault)} What was there before is "
            f"untouched."
        ) from fault
    return done


def require_free(source: ExportSource, out: Path, to: str, *, may_replace: bool) -> None:
    """Check that an export may be made or replaced at `out`, an absolute path without links.

    Args:
        source: What is exported.
        out: The place.
        to: Format of the export.
        may_replace: True to replace a former export.

    Raises:
        UsageError: It may not.
    """
    for folder in filter(None, (source.folder, source.dataset)):
        if out == folder or folder in out.parents or out in folder.parents:
            raise UsageError(
                f"--out {out} and {folder}, which it is made of, lie in each other. Choose a place "
                f"beside it."
            )
    is_empty = out.is_dir() and to != ZIP and not any(out.iterdir())
    if is_empty or not os.path.lexists(out):
        return
    if not is_export(out):
        raise UsageError(
            f"--out {out} is there and is no export of `curate export`. Nothing was replaced. "
            f"Choose another place, or move it away."
        )
    if out.is_dir() == (to == ZIP):
        raise UsageError(
            f"--out {out} is a former export of another kind. Choose another place, or remove it."
        )
    if not may_replace:
        raise UsageError(
            f"--out {out} is a former export. Add --replace to replace it, or choose another place."
        )


class _Writer:
    """The photos of an export on their way into its folder."""

    def __init__(self, folder: Path, source: ExportSource, wishes: ExportWishes) -> None:
        self._folder, self._wishes = folder, wishes
        self._labels = source.scheme.labels
        self.pictures: list[PictureFacts] = []
        self.boxes: list[Box | None] = []
        self.digests: set[str] = set()
        self.left_out: Counter[str] = Counter()

    def write(self, source: ExportSource, progress: Progress) -> None:
        with ExitStack() as stack:
            table = None
            if self._wishes.to == PARQUET:
                table = stack.enter_context(
                    ParquetWriter(
                        self._folder, self._labels, with_subjects=self._wishes.with_subjects
                    )
                )
            for each in prepare_pictures(source.photos, progress):
                if isinstance(each, Unexported):
                    self.left_out[each.reason] += 1
                else:
                    self._add(each, table)

    def _add(self, picture: ExportPicture, table: ParquetWriter | None) -> None:
        name = f"{IMAGES}/{picture.name}" if self._wishes.to == COCO else picture.name
        facts = facts_of(picture, name, with_subjects=self._wishes.with_subjects)
        if table is not None:
            table.add(facts, picture.data)
        else:
            (self._folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._folder / name, picture.data)
        self.pictures.append(facts)
        self.boxes.append(face_in_photo(picture))
        self.digests |= picture.digests


def _write(
    source: ExportSource, out: Path, wishes: ExportWishes, folder: Path, progress: Progress
) -> Export:
    writer = _Writer(folder, source, wishes)
    writer.write(source, progress)
    left_out = dict(writer.left_out.most_common())
    if not writer.pictures:
        why = "; ".join(f"{count} photos: {reason}" for reason, count in left_out.items())
        raise DatasetError(
            f"{source.folder}: no photo may leave ({why}). Nothing was written. Record consents "
            f"with `collector consent`, and see `curate export --help`."
        )
    facts = ExportFacts(source, wishes, writer.pictures)
    if wishes.to != PARQUET:
        write_private(folder / METADATA_FILE, format_metadata(facts.pictures))
    if wishes.to == COCO:
        write_coco(folder, facts, writer.boxes)
    write_private(folder / CLASSES_FILE, format_scheme(source.scheme))
    write_private(folder / CARD_FILE, make_card(facts))
    write_croissant(folder, facts)
    count, digests = len(facts.pictures), frozenset(writer.digests)
    write_export(folder, ExportRecord(installed_version(), wishes.to, count, digests))
    return Export(out, facts, left_out)


def _put_in_place(building: Path, out: Path, wishes: ExportWishes) -> None:
    archive = building / "result.zip"
    if wishes.to == ZIP:
        _pack(building / RESULT, archive)
    # The files reach the disk before their folder's name: a power cut must not leave empty ones.
    os.sync()
    if wishes.to == ZIP:
        archive.replace(out)
    else:
        swap_in(building / RESULT, out)
    sync_folder(out.parent)


def _pack(folder: Path, archive: Path) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    write_private(archive, b"")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as packed:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _FIXED_TIME)
            entry.create_system, entry.external_attr = 3, _FILE_MODE << 16
            packed.writestr(entry, path.read_bytes())
