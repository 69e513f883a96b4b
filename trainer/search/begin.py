"""Begin a search: check what it needs, draw the folds, and make its folder. Loads no Keras."""

from dataclasses import dataclass
from pathlib import Path

from maskage.errors import EnvironmentProblemError
from maskage.formats.curated.curated_set import read_curated
from maskage.formats.run.run_folder import check_name
from maskage.formats.run.search_file import SearchRecord, write_search
from trainer.data.dataset import read_training_photos
from trainer.search.fold_set import list_judged
from trainer.studies.group_validation import choose_folds, draw_folds


@dataclass(frozen=True, kw_only=True)
class SearchSettings:
    """The settings of a new search.

    Attributes:
        curated: Curated folder with train, val and test.
        runs: Folder of the runs, in which the search folder is made.
        name: Name of the search folder.
        models: Recipes to try; empty for all.
        image_sizes: Sides of the input to try, px; empty for the recipes' own and some others.
        seed: Seed of the folds and of all trainings.
        devices, precision: See `FitSettings`.
    """

    curated: Path
    runs: Path
    name: str
    models: tuple[str, ...] = ()
    image_sizes: tuple[int, ...] = ()
    seed: int = 1337
    devices: str = "all"
    precision: str = "auto"


def begin_search(settings: SearchSettings) -> Path:
    """Make the folder of a new search.

    Returns:
        The folder, with a record in which nothing is measured yet.

    Raises:
        UsageError: The name is taken, or is not a plain folder name.
        DatasetError: The curated folder is not usable, or a class comes from too few groups.
        EnvironmentProblemError: The folder cannot be made.
    """
    check_name(settings.runs, settings.name)
    dataset = read_curated(settings.curated, may_lack_test=True)
    photos = list_judged(dataset)
    count = choose_folds(dataset, photos, None)
    folds = draw_folds(photos, dataset.scheme, count, settings.seed)
    record = SearchRecord(
        curated=dataset.folder,
        dataset_digest=read_training_photos(dataset.folder).digest,
        seed=settings.seed,
        folds=tuple(int(fold) for fold in folds),
        models=settings.models,
        image_sizes=settings.image_sizes,
        devices=settings.devices,
        precision=settings.precision,
    )
    folder = settings.runs / settings.name
    try:
        folder.mkdir(parents=True, mode=0o700)
        write_search(folder, record)
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{folder}: the search folder cannot be made ({fault.strerror}). Choose another --runs."
        ) from fault
    return folder
