"""A class whose folder was renamed by hand follows it, and nothing that is known is lost."""

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.class_changes import rename_class
from maskage.dataset.doctor.examine import examine
from maskage.dataset.doctor.files import list_trash
from maskage.dataset.doctor.findings import Kind
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.edits import Edit, trashing
from maskage.dataset.manifest.reading import read_rows
from maskage.dataset.manifest.writer import Manifest
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.errors import DatasetError, UsageError
from maskage.formats.classes.class_change_file import ADOPT, ClassChange, write_change
from maskage.formats.classes.classes_file import format_scheme, read_scheme
from tests.maskage.dataset.doctor.doctor_cases import fill, found, picture_contents
from tests.maskage.dataset.test_class_changes import known, make

Known = dict[str, tuple[str, str | None, str | None]]


def renamed(before: Known, new: str) -> Known:
    """What was known of each photo, with another name of the class mask_old."""
    return {
        digest: (
            new if label == "mask_old" else label,
            subject,
            new if suggested == "mask_old" else suggested,
        )
        for digest, (label, subject, suggested) in before.items()
    }


def state(root: Path) -> tuple[list[Path], object, object]:
    return sorted(root.rglob("*")), read_rows(root), read_scheme(root)


def edit_file(root: Path, old: str, new: str) -> None:
    """Rename a class in classes.toml alone, as with an editor."""
    text = format_scheme(read_scheme(root))
    path = root / "classes.toml"
    path.write_text(text.replace(f'folder = "{old}"', f'folder = "{new}"'))
    path.chmod(0o600)


@pytest.mark.parametrize("name", ["elder", "with a blank", "=1+1", "😷", "o'brien"])
def test_a_folder_renamed_on_the_disk_is_followed(tmp_path: Path, name: str) -> None:
    root = tmp_path / "data"
    make(root)
    before, contents = known(root), picture_contents(root)
    (root / "mask_old").rename(root / name)
    assert rename_class(root, "mask_old", name).labels == (name, *MASK_AGE.labels[1:])
    assert known(root) == renamed(before, name)
    assert picture_contents(root) == contents
    assert examine(root).is_clean
    assert not any((root / top / "mask_old").exists() for top in ("", ".trash", ".damaged"))


def test_a_class_renamed_in_the_file_alone_goes_back_to_its_folder(tmp_path: Path) -> None:
    root = tmp_path / "data"
    make(root)
    before, contents, rows = known(root), picture_contents(root), read_rows(root)
    edit_file(root, "mask_old", "elder")
    rename_class(root, "elder", "mask_old")
    assert read_scheme(root).labels == MASK_AGE.labels
    assert known(root) == before
    assert read_rows(root) == rows
    assert picture_contents(root) == contents
    assert examine(root).is_clean


@pytest.mark.parametrize("is_in_file", [False, True])
@pytest.mark.parametrize("use", [repair_dataset, lambda root: PhotoStore(root).close()])
def test_what_was_done_since_the_folder_was_renamed_loses_nothing(
    tmp_path: Path, use: Callable[[Path], object], is_in_file: bool
) -> None:
    root = tmp_path / "data"
    make(root)
    before = known(root)
    if is_in_file:
        edit_file(root, "mask_old", "elder")
        use(root)
        rename_class(root, "elder", "mask_old")
    else:
        (root / "mask_old").rename(root / "elder")
        use(root)
        rename_class(root, "mask_old", "elder")
    assert known(root) == (before if is_in_file else renamed(before, "elder"))
    assert examine(root).is_clean


def test_a_removed_photo_of_the_class_stays_removed_and_can_be_brought_back(
    tmp_path: Path,
) -> None:
    root = tmp_path / "data"
    photos = fill(root, 8)
    with PhotoStore(root) as store:
        store.apply([trashing(photos[0])])
    (root / "mask_old").rename(root / "elder")
    rename_class(root, "mask_old", "elder")
    path = f"elder/{Path(photos[0].path).name}"
    assert list(list_trash(root)) == [path]
    assert path in read_rows(root).removed
    with PhotoStore(root) as store:
        photo = replace(photos[0], path=path, label="elder")
        store.apply([Edit(None, photo)])
    assert {photo.subject for photo in list_photos(root) if photo.path == path} == {"p0"}


def test_a_copy_of_a_removed_photo_does_not_bring_it_back(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = fill(root, 8)
    content = (root / photos[0].path).read_bytes()
    with PhotoStore(root) as store:
        store.apply([trashing(photos[0])])
    (root / "mask_old").rename(root / "elder")
    path = f"elder/{Path(photos[0].path).name}"
    (root / path).write_bytes(content)
    rename_class(root, "mask_old", "elder")
    assert list(list_trash(root)) == [path]
    assert path in read_rows(root).removed


def test_another_picture_under_the_name_of_a_photo_that_is_gone_stays_unknown(
    tmp_path: Path,
) -> None:
    root = tmp_path / "data"
    photos = fill(root, 8)
    (root / "mask_old").rename(root / "elder")
    repair_dataset(root)
    file = root / "elder" / Path(photos[0].path).name
    shutil.copy(root / photos[1].path, file)
    rename_class(root, "mask_old", "elder")
    assert f"elder/{file.name}" in read_rows(root).removed
    assert f"elder/{file.name}" in found(examine(root))[Kind.UNKNOWN]


def test_a_row_under_the_new_name_stays_that_of_its_photo(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = fill(root, 8)
    (root / "mask_old").rename(root / "elder")
    path = f"elder/{Path(photos[0].path).name}"
    with closing(Manifest(root)) as manifest, manifest.transaction():
        manifest.insert_row(replace(photos[0], path=path, label="elder", subject="anna"))
    rename_class(root, "mask_old", "elder")
    assert [photo.subject for photo in list_photos(root) if photo.path == path] == ["anna"]


def test_full_folders_of_both_names_are_never_joined(tmp_path: Path) -> None:
    root = tmp_path / "data"
    fill(root, 8)
    shutil.copytree(root / "mask_old", root / "elder")
    before = state(root)
    with pytest.raises(DatasetError, match="there is something of this name already, with 2"):
        rename_class(root, "mask_old", "elder")
    assert state(root) == before


def test_trashes_of_both_names_are_never_joined(tmp_path: Path) -> None:
    root = tmp_path / "data"
    photos = fill(root, 8)
    with PhotoStore(root) as store:
        store.apply([trashing(photos[0])])
    (root / "mask_old").rename(root / "elder")
    shutil.copytree(root / ".trash" / "mask_old", root / ".trash" / "elder")
    before = state(root)
    with pytest.raises(DatasetError) as refused:
        rename_class(root, "mask_old", "elder")
    said = str(refused.value)
    assert f"{root / '.trash' / 'elder'}: there is something in it, and in" in said
    assert "Nothing was changed." in said
    assert state(root) == before


def test_the_folder_of_another_class_is_not_adopted(tmp_path: Path) -> None:
    root = tmp_path / "data"
    fill(root, 8)
    shutil.rmtree(root / "mask_old")
    with pytest.raises(UsageError, match="there is a class 'mask_young' already"):
        rename_class(root, "mask_old", "mask_young")


def test_files_put_into_the_empty_folder_during_the_change_are_named(tmp_path: Path) -> None:
    root = tmp_path / "data"
    fill(root, 8)
    text = format_scheme(read_scheme(root)).replace('folder = "mask_old"', 'folder = "elder"')
    (root / "mask_old").rename(root / "elder")
    write_change(root, ClassChange(ADOPT, "mask_old", "elder", text))
    (root / "mask_old").mkdir()
    (root / "mask_old" / "new.txt").write_text("new")
    with pytest.raises(DatasetError) as refused:
        list_photos(root)
    said = str(refused.value)
    assert said.startswith(f"{root / 'mask_old'}: a renaming of the class 'mask_old' was")
    assert f"Move what is in it into {root / 'elder'}, then" in said
    (root / "mask_old" / "new.txt").rename(root / "elder" / "new.txt")
    assert {photo.label for photo in list_photos(root)} == set(read_scheme(root).labels)
    assert read_scheme(root).labels[0] == "elder"
