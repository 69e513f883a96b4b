"""Photos that were renamed, moved or overwritten by hand are known by their content."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.doctor.examine import examine
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.privacy.forgetting import plan_forgetting
from maskage.dataset.snapshots.taking import list_names
from maskage.dataset.status.dataset_status import HandChanges, read_status
from maskage.dataset.store import PhotoStore
from maskage.formats.sums import hash_file
from maskage.pictures.images import encode_jpeg
from maskage.records import Photo
from tests.conftest import draw_noise

MakeFolders = Callable[..., Path]
ANNA, BOB, EVE = (f"mask_old/mask_old_00{number}.jpg" for number in range(3))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the test's folder is looked through."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKAGE_CACHE", raising=False)


@pytest.fixture
def source(four_folders: MakeFolders) -> Path:
    return four_folders(3)


@pytest.fixture
def root(source: Path, tmp_path: Path) -> Path:
    """Twelve imported photos; the first three are of a person each."""
    data = tmp_path / "data"
    assert main(["import", str(source), str(data)]) == 0
    for path, subject in ((ANNA, "anna"), (BOB, "bob"), (EVE, "eve")):
        command = ["edit", str(data), "--photo", f"{data}/{path}", "--subject", subject]
        assert main(command) == 0
    return data


def people(root: Path) -> dict[str, str]:
    """The content of each person's photo."""
    photos = list_photos(root)
    assert len({photo.subject for photo in photos} - {None}) == sum(
        photo.subject is not None for photo in photos
    )
    return {photo.subject: hash_file(root / photo.path) or "" for photo in photos if photo.subject}


def photo_of(root: Path, subject: str) -> Photo:
    (photo,) = [photo for photo in list_photos(root) if photo.subject == subject]
    return photo


def stranger(seed: int = 500) -> bytes:
    return encode_jpeg(draw_noise(seed))


def test_a_photo_renamed_by_hand_keeps_its_person(root: Path) -> None:
    before = people(root)
    (root / ANNA).rename(root / "nomask_old" / "zz.jpg")
    assert people(root) == before
    (root / BOB).rename(root / "mask_old" / "photo (1).jpg")
    assert people(root) == before


def test_a_folder_numbered_anew_keeps_its_people(root: Path) -> None:
    before = people(root)
    for old, new in ((EVE, "mask_old/mask_old_003.jpg"), (BOB, EVE), (ANNA, BOB)):
        (root / old).rename(root / new)
    assert people(root) == before
    photo = photo_of(root, "bob")
    with PhotoStore(root) as store:
        store.apply([store.relabelling(photo, "nomask_old")])
    assert people(root) == before
    assert photo_of(root, "bob").label == "nomask_old"
    assert not examine(root).findings


def test_a_picture_with_the_name_of_a_missing_photo_has_none_of_its_facts(root: Path) -> None:
    (root / ANNA).unlink()
    (root / "nomask_old" / Path(ANNA).name).write_bytes(stranger())
    assert "anna" not in people(root)
    assert read_status(root, 10).by_hand == HandChanges(moved=0, missing=1)


def test_a_picture_with_the_name_of_a_trashed_photo_has_none_of_its_facts(root: Path) -> None:
    from maskage.dataset.edits import trashing

    with PhotoStore(root) as store:
        store.apply([trashing(photo_of(root, "anna"))])
    (root / ANNA).write_bytes(stranger())
    assert "anna" not in people(root)
    with PhotoStore(root) as store:
        (photo,) = [photo for photo in store.photos() if photo.path == ANNA]
        store.apply([store.relabelling(photo, "nomask_old")])
    assert examine(root).photos == 12


def test_every_photo_renamed_keeps_its_facts_and_status_says_so(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = people(root)
    for label in ("mask_old", "mask_young", "nomask_old", "nomask_young"):
        files = sorted((root / label).iterdir(), reverse=True)
        for number, file in enumerate(files):
            file.rename(file.with_name(f"{number:05d}.jpg"))
    assert people(root) == before
    capsys.readouterr()
    assert main(["status", str(root)]) == 0
    out = capsys.readouterr().out
    assert "note: 12 photos were moved or renamed by hand. `collector doctor" in out
    assert "3 subjects" in out
    assert main(["doctor", str(root), "--fix"]) == 0
    assert people(root) == before
    assert read_status(root, 10).by_hand == HandChanges()


def test_an_edit_of_a_renamed_photo_keeps_its_facts_and_can_be_undone(root: Path) -> None:
    before, new = people(root), root / "mask_old" / "zz.jpg"
    (root / ANNA).rename(new)
    assert main(["edit", str(root), "--photo", str(new), "--session", "s2"]) == 0
    assert people(root) == before
    assert photo_of(root, "anna").session == "s2"
    assert ANNA not in read_rows(root).present
    assert main(["edit", str(root), "--undo"]) == 0
    assert photo_of(root, "anna").session is None
    assert not examine(root).findings


def test_an_import_after_a_rename_into_another_class_saves_nothing_twice(
    root: Path, source: Path
) -> None:
    (root / ANNA).rename(root / "nomask_old" / "zz.jpg")
    main(["import", str(source), str(root)])
    assert len(list_photos(root)) == 12
    assert photo_of(root, "anna").path == "nomask_old/zz.jpg"


def test_an_import_brings_back_a_photo_that_another_was_moved_over(
    root: Path, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = people(root)
    (root / BOB).replace(root / ANNA)
    assert main(["import", str(source), str(root)]) == 0
    assert "     1 photo saved" in capsys.readouterr().out
    assert people(root) == before
    assert len(list_photos(root)) == 12
    assert not examine(root).findings
    assert main(["import", str(source), str(root)]) == 0
    assert len(list_photos(root)) == 12


@pytest.mark.parametrize("is_there", [True, False])
def test_an_import_brings_back_a_photo_whose_name_a_stranger_has(
    root: Path, source: Path, is_there: bool
) -> None:
    before, place = people(root), root / (ANNA if is_there else f"nomask_old/{Path(ANNA).name}")
    (root / ANNA).unlink()
    place.write_bytes(stranger())
    assert main(["import", str(source), str(root)]) == 0
    assert people(root) == before
    assert place.read_bytes() == stranger()
    assert len(list_photos(root)) == 13


def test_an_import_leaves_a_photo_that_was_turned_in_place(root: Path, source: Path) -> None:
    from maskage.pictures.images import read_image

    (root / ANNA).write_bytes(encode_jpeg(read_image(root / ANNA)[:, ::-1].copy()))
    assert main(["import", str(source), str(root)]) == 0
    assert len(list_photos(root)) == 12
    assert photo_of(root, "anna").path == ANNA


@pytest.mark.parametrize("to", ["mask_old/new.jpg", "nomask_young/new.jpg", BOB])
def test_a_snapshot_comes_back_after_a_rename_by_hand(root: Path, to: str) -> None:
    before = list_photos(root)
    assert main(["snapshot", "one", str(root)]) == 0
    (root / ANNA).replace(root / to)
    assert main(["restore", "one", str(root)]) == 0
    assert list_photos(root) == before
    assert people(root) == {photo.subject: photo.sha256 for photo in before if photo.subject}
    assert not [f for f in examine(root).findings if f.path == ANNA]
    assert main(["diff", "one", str(root), "--strict"]) == 0


def test_a_restoration_that_is_tried_again_takes_no_second_safety_snapshot(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["snapshot", "one", str(root)]) == 0
    (root / ANNA).unlink()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken:
        broken.setattr(PhotoStore, "put_back", refuse)
        for _ in range(2):
            assert main(["restore", "one", str(root)]) == 5
    assert len(list_names(root)) == 2
    assert main(["restore", "one", str(root)]) == 0
    assert len(list_names(root)) == 2


def test_a_photo_overwritten_in_place_is_no_success_and_a_copy_survives_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = stranger()
    before = (root / ANNA).read_bytes()
    assert main(["snapshot", "one", str(root)]) == 0
    assert main(["snapshot", "two", str(root), "--copy"]) == 0
    (root / ANNA).write_bytes(other)
    assert main(["restore", "two", str(root)]) == 0
    assert (root / ANNA).read_bytes() == before
    shutil.rmtree(root / ".dataset" / "snapshots" / "objects" / (hash_file(root / ANNA) or "")[:2])
    (root / ANNA).write_bytes(other)
    capsys.readouterr()
    assert main(["restore", "one", str(root)]) == 4
    assert "is as it was" not in capsys.readouterr().out


def test_forgetting_leaves_no_row_of_a_photo_that_was_renamed(root: Path) -> None:
    digest, new = people(root)["anna"], root / "mask_old" / "zz.jpg"
    (root / ANNA).rename(new)
    assert main(["edit", str(root), "--photo", str(new), "--subject", "y"]) == 0
    main(["forget", "y", str(root), "--yes"])
    rows = read_rows(root)
    assert digest not in {row.sha256 for row in (*rows.present.values(), *rows.removed.values())}
    assert not new.exists()


def test_forgetting_takes_the_row_of_nobody_with_the_same_content(root: Path) -> None:
    digest = people(root)["anna"]
    shutil.copy(root / ANNA, root / "mask_old" / "copy.jpg")
    command = ["edit", str(root), "--photo", str(root / "mask_old" / "copy.jpg")]
    assert main([*command, "--session", "s9"]) == 0
    main(["forget", "anna", str(root), "--yes"])
    assert digest not in {row.sha256 for row in read_rows(root).present.values()}
    assert digest not in {hash_file(file) for file in (root / "mask_old").iterdir()}


def test_forgetting_spares_another_person_under_the_name_of_the_first(root: Path) -> None:
    bob = people(root)["bob"]
    (root / BOB).replace(root / ANNA)
    assert plan_forgetting(root, "anna", [root]).mine.photos == ()
    assert plan_forgetting(root, "bob", [root]).mine.photos == (ANNA,)
    main(["forget", "anna", str(root), "--yes"])
    assert people(root)["bob"] == bob


def test_diff_takes_a_folder_in_the_place_of_b_for_the_dataset(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = root.rename(root.with_name("elsewhere"))
    assert main(["snapshot", "one", str(other)]) == 0
    capsys.readouterr()
    assert main(["diff", "one", str(other), "--strict"]) == 0


def test_links_that_lead_in_a_circle_stop_neither_doctor_nor_status(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("loop.jpg", "loop"):
        (root / "mask_old" / name).symlink_to(name)
    assert main(["status", str(root)]) == 0
    capsys.readouterr()
    assert main(["doctor", str(root)]) == 0
    assert "2 are links that lead in a circle" in capsys.readouterr().out
