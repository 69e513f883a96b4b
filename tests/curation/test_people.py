"""Curations of photos whose names name people, of nobody's photos, and of given splits."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from curation.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.store import PhotoStore
from maskage.formats.curated.curation_file import read_curation
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise
from tests.pages import Page

MakeFolders = Callable[..., Path]

PEOPLE = [
    f"{name}{end}" for name in ("an", "ber", "car", "dor", "em") for end in ("na", "to", "li")
]


def save(root: Path, paths: Iterable[str]) -> Path:
    for seed, path in enumerate(paths):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(encode_jpeg(draw_noise(seed)))
    return root


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "plan.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def splits_by(out: Path, key: Callable[[str], str]) -> dict[str, set[str]]:
    found = defaultdict(set)
    for row in rows_of(out):
        found[key(row["path"])].add(row["split"])
    return found


def caveat_in(out: Path) -> str | None:
    record = read_curation(out)
    assert record is not None
    return record.caveat


def named_folders(root: Path) -> Path:
    """Make two photos of each class of fifteen people, whom the names of the files name."""
    names = [f"{who}_{number:03d}.jpg" for who in PEOPLE for number in range(2)]
    return save(root, (f"{label}/{name}" for label in MASK_AGE.labels for name in names))


def test_people_named_by_files_are_in_one_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = named_folders(tmp_path / "data"), tmp_path / "out"
    assert main([str(data), "--out", str(out)]) == 0
    people = splits_by(out, lambda path: path.partition("/")[2].partition("_")[0])
    assert len(people) == len(PEOPLE)
    assert all(len(splits) == 1 for splits in people.values())
    told = capsys.readouterr()
    assert "15 people in 120 of 120 photos" in told.err
    assert "use --people none" in told.err
    assert "groups: 15, 0 of them in more than one split\n" in told.out
    assert caveat_in(out) is None
    words = " ".join(Page(out / "report.html").words)
    assert "People named by files or folders: anli_000.jpg" in words
    assert json.loads((out / "curation.json").read_text("utf-8"))["settings"]["people"] == "auto"


def test_names_are_left_out_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = named_folders(tmp_path / "data"), tmp_path / "out"
    assert main([str(data), "--out", str(out), "--people", "none"]) == 0
    assert "groups: 120; no photo says who it shows" in capsys.readouterr().out
    options = json.loads((out / "curation.json").read_text("utf-8"))["options"]
    assert options[options.index("--people") + 1] == "none"


def test_masked_copies_of_one_number_are_in_one_split(tmp_path: Path) -> None:
    names = [("nomask", "{}.png"), ("mask", "{}_Mask.jpg"), ("nomask", "{}_Mask_Chin.jpg")]
    paths = (
        f"{kind}_{age}/{name.format(f'{number:05d}')}"
        for age, first in (("old", 0), ("young", 20))
        for number in range(first, first + 20)
        for kind, name in names
    )
    data, out = save(tmp_path / "data", paths), tmp_path / "out"
    assert main([str(data), "--out", str(out), "--dedupe"]) == 0
    people = splits_by(out, lambda path: path.partition("/")[2][:5])
    assert len(people) == 40
    assert all(len(splits) == 1 for splits in people.values())


def test_folders_of_people_in_an_imported_source_are_people(tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    with PhotoStore(data) as store:
        seeds = iter(range(1000))
        for label in MASK_AGE.labels:
            for who in PEOPLE:
                for number in range(2):
                    seed = next(seeds)
                    photo = Photo(
                        f"{label}/{seed}.jpg", label, source=f"src/{label}/{who}/{number}.jpg"
                    )
                    store.add_encoded(encode_jpeg(draw_noise(seed)), photo)
    assert main([str(data), "--out", str(out)]) == 0
    assert len({row["group"] for row in rows_of(out)}) == len(PEOPLE)


def test_a_known_subject_wins_over_a_name(tmp_path: Path) -> None:
    data, out = named_folders(tmp_path / "data"), tmp_path / "out"
    with PhotoStore(data) as store:
        for number in range(2):
            photo = Photo(f"mask_old/anna_9{number}.jpg", "mask_old", subject="somebody else")
            store.add_encoded(encode_jpeg(draw_noise(900 + number)), photo)
    assert main([str(data), "--out", str(out)]) == 0
    group_of = {row["path"]: row["group"] for row in rows_of(out)}
    assert group_of["mask_old/anna_90.jpg"] == group_of["mask_old/anna_91.jpg"]
    assert group_of["mask_old/anna_90.jpg"] != group_of["mask_old/anna_000.jpg"]


@pytest.mark.parametrize("name", ["{0}_crop_{1}", "face_crop_{1:04d}", "{0}_{1}", "{0}_dark_{1}"])
def test_numbered_crops_are_photos_of_their_own(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = (f"{c}/{name.format(c, n)}.jpg" for c in MASK_AGE.labels for n in range(12))
    data, out = save(tmp_path / "data", paths), tmp_path / "out"
    assert main([str(data), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "groups: 48; no photo says who it shows" in told.out
    assert "0 of them" not in told.out
    caveat = caveat_in(out)
    assert caveat is not None
    assert caveat.startswith("No photo says who it shows, so people may be in train and in test")
    assert caveat in told.err
    words = " ".join(Page(out / "report.html").words)
    assert caveat in words
    assert "so people may be in more than one split." in words


def test_a_set_in_which_few_photos_name_their_person_says_how_many(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = four_folders(12), tmp_path / "out"
    with PhotoStore(data) as store:
        for number, label in enumerate(MASK_AGE.labels):
            photo = Photo(f"{label}/known.jpg", label, subject=f"p{number}")
            store.add_encoded(encode_jpeg(draw_noise(5000 + number)), photo)
    assert main([str(data), "--out", str(out), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["people"]["photos"], summary["people"]["by_subject"]) == (52, 4)
    assert summary["caveat"].startswith("Only 4 of 52 photos name their person, so people may be")


def test_most_photos_name_their_person_is_a_note_and_no_caveat(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = named_folders(tmp_path / "data"), tmp_path / "out"
    save(data, (f"{label}/IMG_{n:04d}.jpg" for label in MASK_AGE.labels for n in range(200, 203)))
    for number, path in enumerate(sorted(data.rglob("IMG_*"))):
        path.write_bytes(encode_jpeg(draw_noise(7000 + number)))
    assert main([str(data), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "0 of them in more than one split; 120 of 132 photos name their person" in told.out
    assert "The others may show people who are in another split too." in told.err
    assert caveat_in(out) is None


def test_names_that_are_not_clear_are_offered_and_taken_when_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {"jolly": 3, "somer": 18, "chandra": 5, "smitty": 3}
    paths = [
        f"{label}/{who}_{7 * number:04d}.jpg"
        for label in MASK_AGE.labels
        for who, size in sizes.items()
        for number in range(size if label != "mask_old" else 2)
    ]
    data, out = save(tmp_path / "data", paths), tmp_path / "out"
    assert main([str(data), "--out", str(out)]) == 0
    assert "Perhaps the names name people" in capsys.readouterr().err
    assert main([str(data), "--out", str(out), "--people", "names"]) == 0
    assert "groups: 4, 0 of them" in capsys.readouterr().out


def test_asking_for_people_of_names_that_name_nobody_is_an_error(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(four_folders(6)), "--out", str(out), "--people", "names"]) == 4
    assert "do not name people" in capsys.readouterr().err
    assert not out.exists()


def test_too_few_people_by_name_say_how_to_split_without_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = (
        f"{c}/{w}/{n}.jpg" for c in MASK_AGE.labels for w in ("anna", "bert") for n in range(4)
    )
    data = tmp_path / "data"
    with PhotoStore(data) as store:
        for seed, path in enumerate(paths):
            label = path.partition("/")[0]
            photo = Photo(f"{label}/{seed}.jpg", label, source=path)
            store.add_encoded(encode_jpeg(draw_noise(seed)), photo)
    assert main([str(data), "--out", str(tmp_path / "out"), "--people", "names"]) == 4
    told = capsys.readouterr().err
    assert "linked by file name" in told
    assert "--people none" in told


def test_bursts_are_guessed_sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    start = datetime(2024, 5, 6, 8, tzinfo=UTC)
    with PhotoStore(data) as store:
        for seed in range(120):
            label = MASK_AGE.labels[seed % 4]
            moment = start + timedelta(hours=seed // 12, seconds=10 * (seed % 12))
            photo = Photo(f"{label}/{seed}.jpg", label, taken_at=moment.isoformat())
            store.add_encoded(encode_jpeg(draw_noise(seed)), photo)
    assert main([str(data), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "10 sessions were guessed from the times of 120 photos" in told.err
    assert "groups: 10; no photo says who it shows" in told.out
    caveat = caveat_in(out)
    assert caveat is not None
    assert caveat.startswith("No photo says who it shows")
    assert "10 sessions are guesses" in " ".join(Page(out / "report.html").words)
    assert main([str(data), "--out", str(out), "--session-gap", "0"]) == 0
    assert "groups: 120; no photo says who it shows" in capsys.readouterr().out


def given(
    root: Path, *, subject: bool = True, parts: tuple[str, ...] = ("train", "val", "test")
) -> Path:
    """Make a dataset that came with a split: six photos of each class and part; p0 in all parts."""
    with PhotoStore(root) as store:
        seed = 0
        for part in parts:
            for label in MASK_AGE.labels:
                for number in range(6):
                    photo = Photo(
                        f"{label}/{part}{number}.jpg",
                        label,
                        subject=(f"{part} {number}" if number else "p0") if subject else None,
                        origin=part,
                    )
                    store.add_encoded(encode_jpeg(draw_noise(seed)), photo)
                    seed += 1
    return root


def test_a_split_that_was_given_is_kept_and_its_leak_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = given(tmp_path / "data"), tmp_path / "out"
    assert main([str(data), "--out", str(out), "--split", "given"]) == 0
    for row in rows_of(out):
        assert row["path"].partition("/")[2].startswith(row["split"])
    told = capsys.readouterr()
    leak = "1 of 16 groups are in more than one part of it, 1 of them in train and in test"
    assert leak in told.err
    assert "groups: 16, 1 of them in more than one split" in told.out
    record = read_curation(out)
    assert record is not None
    assert record.caveat is not None
    assert leak in record.caveat
    assert record.held_out == "photos"
    assert leak in " ".join(Page(out / "report.html").words)


def test_photos_that_came_without_a_split_are_in_train_and_a_missing_val_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = given(tmp_path / "data", parts=("train", "test")), tmp_path / "out"
    with PhotoStore(data) as store:
        photo = Photo("mask_old/late.jpg", "mask_old", subject="late")
        store.add_encoded(encode_jpeg(draw_noise(999)), photo)
    assert main([str(data), "--out", str(out), "--split", "given"]) == 0
    told = capsys.readouterr().err
    assert "1 photos came without a split: they are in train." in told
    assert "has no val" in told
    split_of = {row["path"]: row["split"] for row in rows_of(out)}
    assert {split for path, split in split_of.items() if "/test" in path} == {"test"}
    assert {split for path, split in split_of.items() if "/train" in path} == {"train", "val"}


def test_a_dataset_that_came_with_no_split_has_none_to_keep(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(four_folders(6)), "--out", str(out), "--split", "given"]) == 4
    assert "no photo of this dataset says in which split it was" in capsys.readouterr().err
    data = given(tmp_path / "data")
    assert main([str(data), "--out", str(out), "--split", "given", "--no-test"]) == 4
    assert "24 photos were given as test" in capsys.readouterr().err
    assert not out.exists()


def test_what_nobodys_photos_hold_out_is_photos(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = four_folders(8), tmp_path / "out"
    assert main([str(data), "--out", str(out), "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["held_out"] == "photos"
    record = read_curation(out)
    assert record is not None
    assert (record.held_out, record.caveat is None) == ("photos", False)
    # Each photo is a group: none is a large one, and nothing is near another.
    assert "near-duplicate" not in told.err
    assert "hold over 10%" not in told.err


def test_too_few_photos_of_nobody_are_not_said_to_be_linked(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(four_folders(2)), "--out", str(tmp_path / "out")]) == 4
    told = " ".join(capsys.readouterr().err.split())
    assert "There are only 8 photos, and no two of them belong together." in told
    assert "near-duplicate" not in told


def test_every_file_of_a_dataset_is_counted(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = four_folders(12)
    shown = ("root.jpg", "notes.txt", "mask_old/.hidden.jpg", "mask_old/sub/in.jpg")
    hidden = ("mask_old/._app.jpg", "mask_old/sub/list.txt", "clip.mp4")
    save(data, (*shown, *hidden))
    (data / "mask_old" / ".saving-left.jpg").write_bytes(b"")
    assert main([str(data), "--out", str(tmp_path / "out"), "--split", "random", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["unread_files"] == {
        "in_class_folders": ["mask_old/sub/list.txt"],
        "beside_class_folders": ["clip.mp4", "notes.txt", "root.jpg"],
        "hidden": ["mask_old/._app.jpg", "mask_old/.hidden.jpg"],
    }
    said = " ".join(told.err.split())
    assert "3 entries beside the class folders were not read: clip.mp4, notes.txt, root.jpg" in said
    assert "1 entry in the class folders was not read" in said
    (unread,) = (row for row in rows_of(tmp_path / "out") if row["path"].endswith("in.jpg"))
    assert "subfolder" in unread["reason"]
