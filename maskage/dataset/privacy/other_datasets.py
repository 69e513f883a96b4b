"""Other datasets that know a person: copies of the dataset, and those that its photos went to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from maskage.dataset.manifest.file import untouched
from maskage.dataset.manifest.reading import read_consents, read_imports, read_rows
from maskage.dataset.privacy.sought_photos import SoughtPhotos
from maskage.dataset.privacy.subject_files import all_rows
from maskage.dataset.snapshots.taking import read_snapshots
from maskage.errors import ToolchainError
from maskage.formats.dataset_folder import manifest_path
from maskage.shell_words import join_words


@dataclass(frozen=True)
class OtherDataset:
    """Another dataset that names the person, with photos that are the person's.

    Attributes:
        folder: Absolute path of the dataset.
        rows: Number of the person's rows in its manifest.
        in_snapshots: Number of the person's photos in its snapshots.
        has_consent: True if the person's consent is on record in it.
        command: Command that forgets the person there.
    """

    folder: Path
    rows: int
    in_snapshots: int
    has_consent: bool
    command: str


def find_other_datasets(folders: Iterable[Path], sought: SoughtPhotos) -> Iterator[OtherDataset]:
    """Yield the datasets that name the person, in order; nothing is changed.

    Another person may have the same pseudonym elsewhere: a dataset counts if one of the photos that
    it has of this name is known by its content. One that is damaged is passed over here: its files
    are searched like all others.
    """
    for folder in sorted(folders):
        try:
            found = _search(folder, sought)
        except (ToolchainError, OSError):
            continue
        if found is not None:
            yield found


def _search(folder: Path, sought: SoughtPhotos) -> OtherDataset | None:
    with untouched(manifest_path(folder)) as manifest:
        root = manifest.parents[1]
        rows = [row for row in all_rows(read_rows(root)) if row.subject == sought.subject]
        imports = read_imports(root)
        has_consent = sought.subject in read_consents(root)
    shots = [
        each.digest
        for snapshot in read_snapshots(folder)
        for each in snapshot.photos
        if each.photo.subject == sought.subject
    ]
    paths = {row.path for row in rows}
    imported = [row.digest.partition("#")[0] for row in imports if row.path in paths]
    digests = (*(row.sha256 or "" for row in rows), *shots, *imported)
    if not any(digest in sought.digests for digest in digests):
        return None
    command = join_words(["collector", "forget", sought.subject, "--data", str(folder)])
    return OtherDataset(folder, len(rows), len(shots), has_consent, command)
