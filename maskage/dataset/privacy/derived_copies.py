"""Copies of photos outside their dataset: sets, runs, models, pages, pictures, caches.

Sets, runs and caches are read through `maskage.formats`, everything else through `loose_copies`.
Nothing is changed.
"""

import tempfile
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from maskage.dataset.privacy.loose_copies import LooseCopy, Namesakes, find_loose_copies
from maskage.dataset.privacy.other_datasets import OtherDataset, find_other_datasets
from maskage.dataset.privacy.project_walk import BUILDING, FORMER, Places, add_folder, add_set
from maskage.dataset.privacy.sought_photos import Either, SoughtPhotos
from maskage.errors import UnreadableImageError
from maskage.formats.curated.curated_set import SetContents, read_contents
from maskage.formats.curated.plan_file import PlanRow
from maskage.formats.feature_cache import list_pieces, read_digests
from maskage.formats.output_log import Kind, Output, log_paths
from maskage.formats.run.photos_file import count_run_photos
from maskage.formats.run.predictions_file import count_predicted
from maskage.formats.run.run_arguments import TrainedRun, read_run
from maskage.pictures.images import read_image
from maskage.pictures.perceptual_hash import hash_crop
from maskage.shell_words import join_words
from maskage.system.paths import find_scan_caches


@dataclass(frozen=True)
class DerivedSet:
    """A curated set that holds the photos which are searched for.

    Attributes:
        folder: Absolute path of the set.
        photos: Number of the photos in it.
        variants: Number of augmented copies of them.
        set_aside: Number that its plan names as set aside: its page may show them.
        command: Command that makes the set again, or removes what an interrupted `curate` left.
    """

    folder: Path
    photos: int
    variants: int
    set_aside: int
    command: str


@dataclass(frozen=True)
class DerivedRun:
    """A run that was, or may have been, trained on the photos.

    Attributes:
        folder: Absolute path of the run.
        reason: What says so, for the report.
        command: Command that trains the run again, after `remove`.
        is_certain: False if its set is missing or was changed since, so that it is not known.
    """

    folder: Path
    reason: str
    command: str
    is_certain: bool = True

    @property
    def remove(self) -> str:
        """The command that removes the run."""
        return join_words(["rm", "-r", str(self.folder)])


@dataclass(frozen=True)
class DerivedCopies:
    """Everything that was found outside the dataset.

    Attributes:
        datasets: Other datasets that know the person, sorted by folder.
        curated: Sets with the photos, sorted by folder.
        runs: Runs trained on them, sorted by folder.
        cached: Pieces of cached features, absolute, sorted.
        scans: Curation's caches about the dataset's photos, absolute, sorted.
        loose: All other copies, sorted by path.
        namesakes: Pictures that have no more than the name of a photo in common with it.
        copies: sha256 of the files in sets that were made from the photos, and of pictures with the
            name of a photo that look like it.
        sets: Digests of the sets that the runs were trained on.
        embedded: sha256 of pictures in pages that show the photos.
    """

    curated: tuple[DerivedSet, ...] = ()
    runs: tuple[DerivedRun, ...] = ()
    cached: tuple[Path, ...] = ()
    scans: tuple[Path, ...] = ()
    loose: tuple[LooseCopy, ...] = ()
    copies: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    embedded: frozenset[str] = frozenset()
    namesakes: Namesakes = field(default_factory=Namesakes)
    datasets: tuple[OtherDataset, ...] = ()

    @property
    def is_listed(self) -> bool:
        """True if something is left that forgetting does not remove by itself."""
        return bool(self.datasets or self.curated or self.runs or self.loose)


@dataclass(frozen=True)
class _InSet:
    """Places of files in a set: photos that are searched for, and augmented copies of them."""

    photos: Set[str]
    variants: Set[str]
    set_aside: int

    def __bool__(self) -> bool:
        return bool(self.photos or self.variants or self.set_aside)

    @property
    def is_trained_on(self) -> bool:
        return bool(self.photos or self.variants)


def find_derived_copies(
    sought: SoughtPhotos,
    look_in: Sequence[Path],
    caches: Sequence[Path] = (),
    outputs: Sequence[Output] = (),
) -> DerivedCopies:
    """Search for everything that was made from photos.

    Args:
        sought: The photos.
        look_in: Folders to search, see `project_walk`. A set that a run names is read wherever it
            lies.
        caches: More caches of features, wherever they lie.
        outputs: Outputs in the log of the tools, wherever they lie.

    Returns:
        What holds the photos. A file in a set counts by its content, whatever its name is; by its
        name only if the set was made from this dataset, or the name contains the digest.
    """
    places = _find_places(sought, look_in, caches, outputs)
    runs = [run for folder in sorted(places.runs) if (run := read_run(folder)) is not None]
    places.sets |= {run.trained_on for run in runs if run.trained_on.is_dir()}
    places.caches |= {cache for run in runs for cache in run.feature_caches}
    sets = {folder: read_contents(folder) for folder in sorted(places.sets)}
    found = {folder: _search_set(one, sought) for folder, one in sets.items()}
    # Features are kept of copies and former pictures too, which have digests of their own.
    copies = frozenset(_digests_of_copies(sets, found))
    digests = Either(copies, sought.digests)
    derived_runs = [
        t for run in runs if (t := _derived_run(run, sets, found, sought, digests)) is not None
    ]
    curated = [
        _derived_set(sets[one], inside, sought.root) for one, inside in found.items() if inside
    ]
    trained = _digests_trained_on(sets, found, runs, derived_runs)
    sets_of_theirs = Either(trained, sought.sets)
    loose = find_loose_copies(places, outputs, sought, sets_of_theirs, copies)
    datasets = tuple(find_other_datasets(places.datasets, sought))
    listed = (
        {one.folder for one in datasets}
        | {one.folder for one in curated}
        | {run.folder for run in derived_runs}
    )
    others = {
        folder for folder, one in sets.items() if one.origin.dataset not in (None, sought.root)
    }
    others |= {run.folder for run in runs if run.trained_on in others}
    return DerivedCopies(
        tuple(curated),
        tuple(derived_runs),
        tuple(sorted(_pieces_with(digests, places.caches))),
        tuple(find_scan_caches(sought.root, sought.digests, places.caches)),
        tuple(
            copy
            for copy in loose.found
            if not _lies_in(listed, copy) and (copy.is_certain or not _lies_in(others, copy))
        ),
        copies | loose.alike,
        trained,
        loose.embedded,
        loose.namesakes,
        datasets,
    )


def _lies_in(folders: Set[Path], copy: LooseCopy) -> bool:
    return not folders.isdisjoint((copy.path, *copy.path.parents))


def _find_places(
    sought: SoughtPhotos, look_in: Sequence[Path], caches: Sequence[Path], outputs: Sequence[Output]
) -> Places:
    root, places = sought.root, Places(labels=sought.labels)
    for folder in dict.fromkeys(folder.resolve() for folder in look_in):
        add_folder(folder, root, places)
    places.caches |= {cache.resolve() for cache in caches}
    for output in outputs:
        if output.kind is Kind.CURATED:
            add_set(output.path, places)
        elif output.kind is Kind.RUN:
            places.runs.add(output.path)
        elif output.kind is Kind.CACHE:
            places.caches.add(output.path)
    places.files -= set(log_paths(root))
    # The report of a bug in the toolchain may name photos.
    places.files |= set(Path(tempfile.gettempdir()).glob("maskage-bug-*.txt"))
    return places


def _search_set(one: SetContents, sought: SoughtPhotos) -> _InSet:
    photos = {place for place, digest in one.files.items() if digest in sought.digests}
    made_of = one.origin.dataset
    mine, others, set_aside = set[str](), set[str](), 0
    for row in one.rows:
        if row.parent:
            continue
        if row.place in photos:
            mine.add(row.path)
        elif row.path in sought.paths:
            if row.is_kept and row.place in one.files and not _is_copy(one, row, sought):
                others.add(row.path)  # another photo of this name, with copies of its own
            elif row.is_kept and row.place in one.files:
                photos.add(row.place)  # without its metadata, or changed by another program
            else:
                set_aside += 1
    if made_of not in (None, sought.root):
        set_aside = 0  # another dataset uses the same names
    copies = {
        row.place
        for row in one.rows
        if row.parent
        and row.place in one.files
        and (row.parent in mine or (row.parent in sought.paths and row.parent not in others))
    }
    return _InSet(photos - copies, copies, set_aside)


def _is_copy(one: SetContents, row: PlanRow, sought: SoughtPhotos) -> bool:
    """Return True if a file with the name of a photo, but other bytes, was made from it."""
    if one.origin.dataset is not None:
        return one.origin.dataset == sought.root
    if _bears_digest(row.path, one.files[row.place]):
        return True  # the photo, changed by another program since
    try:
        return sought.looks_like(hash_crop(read_image(one.folder / row.place)))
    except UnreadableImageError:
        return False


def _bears_digest(path: str, digest: str) -> bool:
    """Return True if `PhotoStore.add` gave this name to a file of this content."""
    return f"_{digest[:8]}" in path


def _digests_of_copies(
    sets: Mapping[Path, SetContents], found: Mapping[Path, _InSet]
) -> Iterator[str]:
    for folder, inside in found.items():
        for place in (*inside.photos, *inside.variants):
            yield sets[folder].files[place]


def _digests_trained_on(
    sets: Mapping[Path, SetContents],
    found: Mapping[Path, _InSet],
    runs: Sequence[TrainedRun],
    derived: Sequence[DerivedRun],
) -> frozenset[str]:
    digests = {sets[folder].digest for folder, inside in found.items() if inside.is_trained_on}
    certain = {run.folder for run in derived if run.is_certain}
    set_aside = {
        sets[folder].digest
        for folder, inside in found.items()
        if inside and not inside.is_trained_on
    }
    # These were trained on a set that has changed since.
    digests |= {run.dataset_digest for run in runs if run.folder in certain and run.dataset_digest}
    return frozenset(digests - set_aside)


def _derived_set(one: SetContents, inside: _InSet, root: Path) -> DerivedSet:
    folder, command = one.folder, one.command(root)
    if (building := BUILDING.fullmatch(folder.parent.name)) is not None:
        place = folder.parent.with_name(building[1])
        folder = folder.parent
        command = join_words(["rm", "-r", str(folder)])
        if (folder / FORMER).exists() and not place.exists():
            # The only copy of the set lies here: making the set again removes this folder.
            command = replace(one, folder=place).command(root)
    return DerivedSet(folder, len(inside.photos), len(inside.variants), inside.set_aside, command)


def _derived_run(
    run: TrainedRun,
    sets: Mapping[Path, SetContents],
    found: Mapping[Path, _InSet],
    sought: SoughtPhotos,
    digests: Container[str],
) -> DerivedRun | None:
    one, reason = sets.get(run.trained_on), f"trained on {run.curated}"
    if not run.trained_on.is_dir():
        # A command that removes a run and then fails is no remedy.
        run = replace(run, command="")
    if run.dataset_digest is not None and run.dataset_digest in sought.sets:
        return DerivedRun(run.folder, f"{reason} as it was", run.command)
    is_same_set = one is not None and run.dataset_digest in (None, one.digest)
    if one is not None and is_same_set and found[one.folder]:
        return DerivedRun(run.folder, reason, run.command)
    # Its own photos are theirs, or those of the earlier run that it was started from.
    if known := count_run_photos(run.folder, digests):
        files = "a file" if known == 1 else f"{known} files"
        return DerivedRun(run.folder, f"its photos.csv lists {files} of theirs", run.command)
    if one is not None and one.origin.dataset not in (None, sought.root) and not found[one.folder]:
        return None
    if is_same_set:
        return None
    rows = () if one is None else one.rows
    written = {row.written for row in rows if row.written and row.path in sought.paths}
    if named := count_predicted(run.folder, Either(sought.paths, written)):
        files = "a file" if named == 1 else f"{named} files"
        return DerivedRun(run.folder, f"its predictions.csv names {files} of theirs", run.command)
    since = "which is missing now" if one is None else "which was changed since"
    return DerivedRun(run.folder, f"{reason}, {since}", run.command, is_certain=False)


def _pieces_with(digests: Container[str], caches: Set[Path]) -> Iterator[Path]:
    for cache in caches:
        for piece in list_pieces(cache):
            if any(digest in digests for digest in dict.fromkeys(read_digests(piece))):
                yield piece
