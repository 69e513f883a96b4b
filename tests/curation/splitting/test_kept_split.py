"""Photos keep the split of a former set when their dataset has grown."""

from pathlib import Path

import pytest

from curation.cli import main
from curation.splitting.kept_split import describe_kept
from curation.splitting.split import assign_groups
from maskage.classes.ready_made import MASK_AGE
from maskage.formats.curated.plan_file import read_plan
from maskage.formats.run.photos_file import RunPhoto, write_run_photos
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset of ten photos a class, curated into `former`."""
    monkeypatch.chdir(tmp_path)
    add(tmp_path / "data", 0, 10)
    assert main(["data", "--out", "former"]) == 0
    return tmp_path / "data"


def add(data: Path, first: int, count: int) -> None:
    for number, label in enumerate(MASK_AGE.labels):
        (data / label).mkdir(parents=True, exist_ok=True)
        for at in range(first, first + count):
            pixels = draw_noise(1000 * number + at)
            (data / label / f"{label[:-2]}{at:03d}.jpg").write_bytes(encode_jpeg(pixels))


def splits_of(folder: str) -> dict[str, str]:
    return {row.path: row.split for row in read_plan(Path(folder)) if row.is_kept}


def test_known_photos_stay_where_they_were_and_new_ones_fill_up_the_shares(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = splits_of("former")
    add(data, 10, 10)
    assert main(["data", "--out", "new"]) == 0
    assert any(splits_of("new")[path] != split for path, split in before.items())
    capsys.readouterr()
    assert main(["data", "--out", "grown", "--keep-split", "former"]) == 0
    after = splits_of("grown")
    assert {path: after[path] for path in before} == before
    for label in MASK_AGE.labels:
        found = [split for path, split in after.items() if path.startswith(f"{label}/")]
        assert [found.count(each) for each in ("train", "val", "test")] == [16, 2, 2]
    told = capsys.readouterr().err
    assert "40 photos keep their former split, and 40 are new." in told


def test_an_unchanged_dataset_gets_the_same_plan(data: Path) -> None:
    assert main(["data", "--out", "again", "--keep-split", "former"]) == 0
    assert Path("again/plan.csv").read_bytes() == Path("former/plan.csv").read_bytes()


def test_a_corrected_and_renamed_photo_keeps_its_split(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tested = next(path for path, split in splits_of("former").items() if split == "test")
    label = next(each for each in MASK_AGE.labels if not tested.startswith(f"{each}/"))
    (data / tested).rename(data / label / "corrected.jpg")
    # Its class has no other photo in test.
    assert main(["data", "--out", "grown", "--keep-split", "former"]) == 4
    assert "Add photos of" in capsys.readouterr().err
    add(data, 10, 10)
    assert main(["data", "--out", "grown", "--keep-split", "former"]) == 0
    assert splits_of("grown")[f"{label}/corrected.jpg"] == "test"


def test_a_group_that_joins_several_splits_goes_where_most_was_learned_from() -> None:
    groups = [0, 0, 1, 1, 2, 2, 3, 4, 5, 6]
    former = ["test", "train", None, "val", "test", "val", "test", None, None, None]
    photos = [Photo(f"mask_old/{at}.jpg", "mask_old") for at in range(len(groups))]
    splits = assign_groups(photos, groups, ["mask_old"], (0.6, 0.2, 0.2), 1, former)
    # val has twice its share by now, so what is free goes to train.
    assert splits == ["train"] * 2 + ["val"] * 4 + ["test"] + ["train"] * 3
    assert describe_kept(former, splits) == (
        "4 photos keep their former split, and 4 are new. 2 moved towards train, because they "
        "belong together with photos that were there."
    )


def test_what_a_run_learned_from_is_held_out_no_more(data: Path) -> None:
    from maskage.dataset.photo_scan import scan_file

    run = Path("runs/base")
    run.mkdir(parents=True)
    paths = sorted(splits_of("former"))
    scans = {path: scan_file(data / path, path) for path in paths}
    write_run_photos(
        run,
        [
            RunPhoto(scan.sha256, path.split("/")[0], split, scan.phash, scan.mirror)
            for at, (path, scan) in enumerate(scans.items())
            for split in [("test", "val", "train", "earlier", "train")[at % 5]]
        ],
    )
    add(data, 10, 10)
    assert main(["data", "--out", "grown", "--keep-split", "runs/base"]) == 0
    after = splits_of("grown")
    wanted = ("test", "val", "train", "train", "train")
    assert [after[path] for path in paths] == [wanted[at % 5] for at in range(len(paths))]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--keep-split", "data"], 2, "neither a set that `curate` made"),
        (["--keep-split", "former", "--split", "random"], 2, "found --split random"),
        (["--keep-split", "former", "--no-test"], 4, "photos were test in"),
    ],
)
def test_what_cannot_be_kept_is_refused(
    words: list[str], code: int, told: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "--out", "grown", *words]) == code
    assert told in capsys.readouterr().err
    assert not Path("grown").exists()
