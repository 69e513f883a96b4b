"""What was made of photos outside their dataset: sets, runs, models, pages, pictures, caches.

Reads sets, runs and caches through `maskage.formats` (`set_contents`, `run_arguments`,
`feature_cache`), all else through `loose_copies`. Changes nothing.
"""

import tempfile
from collections.abc import Container, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path

from maskage.dataset.privacy.loose_copies import LooseCopy, find_loose_copies
from maskage.dataset.privacy.project_walk import BUILDING, FORMER, Places, add_set, look_through
from maskage.dataset.privacy.sought_photos import Either, SoughtPhotos
from maskage.errors import UnreadableImageError
from maskage.formats.curated_set import SetContents, read_contents
from maskage.formats.feature_cache import list_pieces, read_digests
from maskage.formats.output_log import Kind, Output, log_paths
from maskage.formats.plan_file import PlanRow
from maskage.formats.predictions_file import count_predicted
from maskage.formats.run_arguments import TrainedRun, read_run
from maskage.pictures.images import read_image
from maskage.pictures.perceptual_hash import hash_crop
from maskage.shell_words import join_words
from maskage.system.paths import find_scan_caches


@dataclass(frozen=True)
class CuratedTrace:
    """A curated set that holds photos which are looked for.

    Attributes:
        folder: Absolute.
        photos: How many of them lie in it.
        variants: How many augmented copies of them.
        set_aside: How many its plan names as set aside: its page may show them.
        command: Makes the set anew, or removes what an interrupted `curate` left.
    """

    folder: Path
    photos: int
    variants: int
    set_aside: int
    command: str


@dataclass(frozen=True)
class RunTrace:
    """A trained run that has, or may have, seen photos which are looked for.

    Attributes:
        folder: Absolute.
        reason: What tells so.
        command: Trains it anew, once `remove` has made room for it.
        is_certain: False where what it was trained on is gone or was changed since, so that nobody
            can tell.
    """

    folder: Path
    reason: str
    command: str
    is_certain: bool = True

    @property
    def remove(self) -> str:
        """The command that removes it."""
        return join_words(["rm", "-r", str(self.folder)])


@dataclass(frozen=True)
class Traces:
    """What was found.

    Attributes:
        curated, runs: Sorted by folder.
        cached: Pieces of cached features, absolute, sorted.
        scans: Curation's caches of its looks at the dataset, absolute, sorted.
        loose: All other copies, sorted by path.
        copies: sha256 of the files in sets that were made of the photos.
        sets: Digests of what runs with the photos were trained on.
        embedded: sha256 of pictures in pages that show the photos.
    """

    curated: tuple[CuratedTrace, ...] = ()
    runs: tuple[RunTrace, ...] = ()
    cached: tuple[Path, ...] = ()
    scans: tuple[Path, ...] = ()
    loose: tuple[LooseCopy, ...] = ()
    copies: frozenset[str] = frozenset()
    sets: frozenset[str] = frozenset()
    embedded: frozenset[str] = frozenset()

    @property
    def is_listed(self) -> bool:
        """Whether anything is left that forgetting does not remove by itself."""
        return bool(self.curated or self.runs or self.loose)


@dataclass(frozen=True)
class _InSet:
    """Places of files in a set: photos that are looked for, and augmented copies of them."""

    photos: Set[str]
    variants: Set[str]
    set_aside: int

    def __bool__(self) -> bool:
        return bool(self.photos or self.variants or self.set_aside)

    @property
    def is_trained_on(self) -> bool:
        return bool(self.photos or self.variants)


def find_traces(
    sought: SoughtPhotos,
    look_in: Sequence[Path],
    caches: Sequence[Path] = (),
    outputs: Sequence[Output] = (),
) -> Traces:
    """Look for what was made of photos.

    Args:
        sought: The photos.
        look_in: Folders that are looked through, see `project_walk`. A set that a run names is
            read wherever it lies.
        caches: More caches of features, wherever they lie.
        outputs: What the tools remember to have written, wherever it lies.

    Returns:
        What holds them. A file in a set counts by its content, whatever its name; by its name only
        where the set says that it was made of this dataset, or the name tells the content.
    """
    places = _find_places(sought.root, look_in, caches, outputs)
    runs = [run for folder in sorted(places.runs) if (run := read_run(folder)) is not None]
    places.sets |= {run.trained_on for run in runs if run.trained_on.is_dir()}
    places.caches |= {cache for run in runs for cache in run.feature_caches}
    sets = {folder: read_contents(folder) for folder in sorted(places.sets)}
    found = {folder: _search_set(one, sought) for folder, one in sets.items()}
    run_traces = [t for run in runs if (t := _run_trace(run, sets, found, sought)) is not None]
    curated = [
        _set_trace(sets[one], inside, sought.root) for one, inside in found.items() if inside
    ]
    # Features are kept of copies and former pictures too, which have digests of their own.
    copies = frozenset(_digests_of_copies(sets, found))
    trained = _digests_trained_on(sets, found, runs, run_traces)
    loose, embedded = find_loose_copies(places, outputs, sought, Either(trained, sought.sets))
    listed = {one.folder for one in curated} | {run.folder for run in run_traces}
    others = {
        folder for folder, one in sets.items() if one.origin.dataset not in (None, sought.root)
    }
    others |= {run.folder for run in runs if run.trained_on in others}
    return Traces(
        tuple(curated),
        tuple(run_traces),
        tuple(sorted(_pieces_with(Either(copies, sought.digests), places.caches))),
        tuple(find_scan_caches(sought.root, sought.digests, places.caches)),
        tuple(
            copy
            for copy in loose
            if not _lies_in(listed, copy) and (copy.is_certain or not _lies_in(others, copy))
        ),
        copies,
        trained,
        embedded,
    )


def _lies_in(folders: Set[Path], copy: LooseCopy) -> bool:
    return not folders.isdisjoint((copy.path, *copy.path.parents))


def _find_places(
    root: Path, look_in: Sequence[Path], caches: Sequence[Path], outputs: Sequence[Output]
) -> Places:
    places = Places()
    for folder in dict.fromkeys(folder.resolve() for folder in look_in):
        look_through(folder, root, places)
    places.caches |= {cache.resolve() for cache in caches}
    for output in outputs:
        if output.kind is Kind.CURATED:
            add_set(output.path, places)
        elif output.kind is Kind.RUN:
            places.runs.add(output.path)
        elif output.kind is Kind.CACHE:
            places.caches.add(output.path)
    places.files -= set(log_paths(root))
    # What a fault of ours was reported with may name photos.
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
                others.add(row.path)  # another photo of this name, so are its copies
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
    """Whether a file that has the name of a photo, and other bytes, was made of it."""
    if one.origin.dataset is not None:
        return one.origin.dataset == sought.root
    if _bears_digest(row.path, one.files[row.place]):
        return True  # it was the photo, which another program has changed since
    try:
        return sought.looks_like(hash_crop(read_image(one.folder / row.place)))
    except UnreadableImageError:
        return False


def _bears_digest(path: str, digest: str) -> bool:
    """Whether a name is one that `PhotoStore.add` gave to a file of this content."""
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
    traces: Sequence[RunTrace],
) -> frozenset[str]:
    digests = {sets[folder].digest for folder, inside in found.items() if inside.is_trained_on}
    certain = {trace.folder for trace in traces if trace.is_certain}
    set_aside = {
        sets[folder].digest
        for folder, inside in found.items()
        if inside and not inside.is_trained_on
    }
    # Trained on a set that has changed since.
    digests |= {run.dataset_digest for run in runs if run.folder in certain and run.dataset_digest}
    return frozenset(digests - set_aside)


def _set_trace(one: SetContents, inside: _InSet, root: Path) -> CuratedTrace:
    folder, command = one.folder, one.command(root)
    if (building := BUILDING.fullmatch(folder.parent.name)) is not None:
        place = folder.parent.with_name(building[1])
        folder = folder.parent
        command = join_words(["rm", "-r", str(folder)])
        if (folder / FORMER).exists() and not place.exists():
            # The only set there is lies in here: making it anew clears this away.
            command = replace(one, folder=place).command(root)
    return CuratedTrace(folder, len(inside.photos), len(inside.variants), inside.set_aside, command)


def _run_trace(
    run: TrainedRun,
    sets: Mapping[Path, SetContents],
    found: Mapping[Path, _InSet],
    sought: SoughtPhotos,
) -> RunTrace | None:
    one, told = sets.get(run.trained_on), f"trained on {run.curated}"
    if run.dataset_digest is not None and run.dataset_digest in sought.sets:
        return RunTrace(run.folder, f"{told} as it was", run.command)
    if one is not None and one.origin.dataset not in (None, sought.root) and not found[one.folder]:
        return None
    if one is not None and run.dataset_digest in (None, one.digest):
        return RunTrace(run.folder, told, run.command) if found[one.folder] else None
    if named := count_predicted(run.folder, sought.paths):
        files = "a file" if named == 1 else f"{named} files"
        return RunTrace(run.folder, f"its predictions.csv names {files} of theirs", run.command)
    since = "which is gone" if one is None else "which was changed since"
    return RunTrace(run.folder, f"{told}, {since}", run.command, is_certain=False)


def _pieces_with(digests: Container[str], caches: Set[Path]) -> Iterator[Path]:
    for cache in caches:
        for piece in list_pieces(cache):
            if any(digest in digests for digest in dict.fromkeys(read_digests(piece))):
                yield piece
