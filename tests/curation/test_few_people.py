"""`curate` where people are too few: what is refused, what is offered, and that offers hold."""

import csv
import json
import re
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from curation.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError
from maskage.formats.curated.curated_set import SPLITS, read_curated
from maskage.formats.curated.curation_file import read_curation
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise
from tests.pages import Page

MakeFolders = Callable[..., Path]
Made = Sequence[tuple[str, str | None, str | None]]
"""Class, subject and session of each photo."""


def fill_dataset(root: Path, photos: Made) -> Path:
    """Write photos one second apart, each session a day after the one before it."""
    with PhotoStore(root) as store:
        for number, (label, subject, session) in enumerate(photos):
            store.add(draw_noise(number, 64), label, subject=subject, session=session)
    return root


def shots(people: Sequence[str | None], sessions: int, each: int) -> Made:
    return [
        (label, person, f"{person} {session}")
        for person in people
        for session in range(sessions)
        for label in MASK_AGE.labels
        for _ in range(each)
    ]


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "plan.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def offers(told: str) -> Iterator[list[str]]:
    """Yield the words of each command that a message offers."""
    for line in told.splitlines():
        if line.startswith("  curate "):
            yield shlex.split(line)[1:]


@pytest.fixture
def refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[str, list[list[str]]]]:
    """Curate and expect that people are too few; return the message and the offers."""

    def run(root: Path, *words: str) -> tuple[str, list[list[str]]]:
        assert main([str(root), "--out", str(tmp_path / "out"), *words]) == 4
        told = capsys.readouterr().err
        assert "Traceback" not in told
        assert not (tmp_path / "out").exists()
        return told, list(offers(told))

    return run


Refused = Callable[..., tuple[str, list[list[str]]]]


def options_of(offer: Sequence[str]) -> list[str]:
    """Return the words of an offer behind the dataset and --out."""
    return list(offer[3:])


def test_one_person_of_one_session_may_split_by_time(tmp_path: Path, refused: Refused) -> None:
    root = fill_dataset(tmp_path / "data", shots(["me"], 1, 12))
    told, found = refused(root)
    assert "There are too few different people for an honest split: mask_old from 1" in told
    assert "from 2 more people, about 12 photos of each" in told
    # All photos were saved in the same second.
    assert [options_of(offer) for offer in found] == [["--split", "time", "--gap", "0"]]
    assert "Test says whether the model learned these very faces under this light" in told


def test_one_person_of_three_sessions_may_split_by_session(
    tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    root = fill_dataset(tmp_path / "data", shots(["me"], 3, 6))
    told, found = refused(root)
    assert options_of(found[0]) == ["--split", "session"]
    assert "24 train, 24 val, 24 test" in told
    assert "not on strangers" in told
    for offer in found:
        assert main(offer) == 0
    capsys.readouterr()
    out = tmp_path / "out"
    assert main([str(root), "--out", str(out), "--split", "session"]) == 0
    record = read_curation(out)
    assert record is not None
    assert record.held_out == "sessions"
    assert record.caveat is not None
    assert "not on strangers" in record.caveat
    assert record.settings["split"] == "session"
    assert record.caveat in " ".join(Page(out / "report.html").words)
    assert record.caveat in capsys.readouterr().err
    side_of = {row["group"]: row["split"] for row in rows_of(out)}
    assert sorted(side_of.values()) == ["test", "train", "val"]


def test_two_people_may_do_without_a_test(
    tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    root = fill_dataset(tmp_path / "data", shots(["anna", "bert"], 1, 6))
    told, found = refused(root)
    assert options_of(found[0]) == ["--no-test"]
    assert "from 1 more person" in told
    out = tmp_path / "out"
    assert f"`trainer cross-validate {out}` then judges each person by the others." in told
    assert main([*found[0], "--balance", "--dedupe"]) == 0
    record = read_curation(out)
    assert record is not None
    assert record.held_out == "none"
    assert record.caveat is not None
    assert "no test" in record.caveat
    assert "has no test" in (out / "report.html").read_text("utf-8")
    for label in MASK_AGE.labels:
        assert (out / "test" / label).is_dir()
        assert not any((out / "test" / label).iterdir())
    curated = read_curated(out, may_lack_test=True)
    assert [len(curated.photos(split)) for split in SPLITS] == [24, 24, 0]
    with pytest.raises(DatasetError, match="--no-test"):
        read_curated(out)
    capsys.readouterr()
    assert main([*found[0], "--json", "--dry-run"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["held_out"] == "none"
    assert summary["caveat"] == record.caveat
    assert set(summary["counts"]["test"].values()) == {0}


def test_a_class_that_one_person_has_alone_is_named(tmp_path: Path, refused: Refused) -> None:
    made = [
        *shots(["anna"], 1, 6),
        *[row for row in shots(["bert", "cleo", "dora"], 1, 6) if row[0] != "mask_old"],
    ]
    told, found = refused(fill_dataset(tmp_path / "data", made))
    assert "honest split: mask_old from 1 group of photos" in told
    assert "Collect mask_old from 2 more people, about 6 photos of each" in told
    assert all(offer[3:5] == ["--split", "time"] for offer in found)


def test_near_duplicates_that_link_all_leave_the_time(
    tmp_path: Path, refused: Refused, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    faces = [draw_noise(number, 96).astype(np.float64) for number in range(6)]
    for place, label in enumerate(MASK_AGE.labels):
        (root / label).mkdir(parents=True)
        own = draw_noise(9000 + place, 96)
        for number in range(60):
            at, part = divmod(number / 12, 1)
            mixed = faces[int(at)] * (1 - part) + faces[int(at) + 1] * part
            shown = (0.85 * mixed + 0.15 * own).astype(np.uint8)
            (root / label / f"frame {number}.jpg").write_bytes(encode_jpeg(shown))
    told, found = refused(root)
    assert "linked by near-duplicate pictures" in told
    assert [offer[3:5] for offer in found] == [["--split", "time"]]
    assert main(found[0]) == 0
    told = capsys.readouterr().err
    assert "240 of 240 photos have no time at which they were taken" in told
    rows = rows_of(tmp_path / "out")
    aside = [row for row in rows if row["kept"] == "0"]
    assert aside
    assert all(row["reason"].startswith("between splits: ") and not row["split"] for row in aside)
    assert not ({row["group"] for row in aside} & {row["group"] for row in rows if row["split"]})


def test_a_split_by_time_is_the_same_for_the_same_photos_and_can_be_repeated(
    tmp_path: Path,
) -> None:
    root = fill_dataset(tmp_path / "data", shots(["me"], 2, 12))
    words = [str(root), "--split", "time", "--gap", "0.001", "--ratio", ".6", ".2", ".2"]
    for name in ("one", "two"):
        assert main([*words, "--out", str(tmp_path / name)]) == 0
    one, two = ((tmp_path / name / "plan.csv").read_bytes() for name in ("one", "two"))
    assert one == two
    page = (tmp_path / "one" / "report.html").read_text("utf-8")
    command = re.search(r"<pre>curate (.*?)</pre>", page)
    assert command is not None
    again = shlex.split(command[1])
    assert "--gap" in again
    assert main([*again[:2], str(tmp_path / "three"), *again[3:]]) == 0
    assert (tmp_path / "three" / "plan.csv").read_bytes() == one


def test_no_way_but_at_random_is_offered_for_a_photo_that_stands_alone(
    four_folders: MakeFolders, refused: Refused
) -> None:
    root = four_folders(12)
    for path in sorted((root / "mask_old").iterdir())[1:]:
        path.unlink()
    told, found = refused(root)
    assert "mask_old from 1 group" in told
    assert found == []
    assert "No other split is possible with these photos." in told


def test_a_random_split_without_a_test_is_laid_out_as_planned(
    four_folders: MakeFolders, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main([str(four_folders(12)), "--split", "random", "--no-test", "--out", str(out)]) == 0
    counts = Counter(row["split"] for row in rows_of(out))
    assert counts == {"train": 40, "val": 8}
    record = read_curation(out)
    assert record is not None
    assert record.held_out == "none"


def test_earlier_records_say_what_they_hold_out(tmp_path: Path) -> None:
    out = tmp_path / "out"
    data = fill_dataset(tmp_path / "data", shots([f"p{number}" for number in range(8)], 1, 2))
    for words, held_out in (([], "people"), (["--split", "random"], "photos")):
        assert main([str(data), "--out", str(out), *words]) == 0
        values = json.loads((out / "curation.json").read_text("utf-8"))
        assert values["held_out"] == held_out
        del values["held_out"], values["caveat"]
        (out / "curation.json").write_text(json.dumps(values), encoding="utf-8")
        record = read_curation(out)
        assert record is not None
        assert record.held_out == held_out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--gap", "3"], "--gap is the time between the parts of a session"),
        (["--gap", "-1", "--split", "time"], "--gap must be 0 seconds or more"),
        (["--gap", "nan", "--split", "time"], "--gap must be 0 seconds or more"),
    ],
)
def test_a_gap_that_means_nothing_is_a_usage_fault(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "none"), *words]) == 2
    assert message in capsys.readouterr().err


def test_a_session_too_short_for_its_gap_says_how_long_it_must_last(
    tmp_path: Path, refused: Refused
) -> None:
    root = fill_dataset(tmp_path / "data", shots(["me"], 1, 12))
    told, found = refused(root, "--split", "time", "--gap", "3000")
    assert "it must last over 6000 s with a --gap of 3000" in told
    assert [options_of(offer) for offer in found] == [["--split", "time", "--gap", "0"]]
