from pathlib import Path

import pytest

from maskage.errors import DatasetError
from maskage.formats.run.photos_file import (
    PHOTOS_FILE,
    RunPhoto,
    count_run_photos,
    read_run_photos,
    write_run_photos,
)

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
PHOTOS = [
    RunPhoto(C, "mask_old", "earlier"),
    RunPhoto(B, "=1+1", "test", 0, 1),
    RunPhoto(A, "f\udcfcr", "train", 0xFFFFFFFFFFFFFFFF, 0x1234),
]


def test_photos_come_back_sorted_by_split(tmp_path: Path) -> None:
    write_run_photos(tmp_path, PHOTOS)
    assert read_run_photos(tmp_path) == PHOTOS[::-1]
    assert (tmp_path / PHOTOS_FILE).read_text(encoding="utf-8").splitlines() == [
        "digest,label,split,phash,mirror",
        f"{A},f\\xfcr,train,ffffffffffffffff,0000000000001234",
        f"{B},./=1+1,test,0000000000000000,0000000000000001",
        f"{C},mask_old,earlier,,",
    ]
    assert count_run_photos(tmp_path, {A, C, "d" * 64}) == 2


def test_a_run_of_an_earlier_version_has_no_list(tmp_path: Path) -> None:
    assert read_run_photos(tmp_path) is None
    assert count_run_photos(tmp_path, {A}) == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "digest,label\n",
        f"digest,label,split,phash,mirror\n{A},mask_old,train\n",
        f"digest,label,split,phash,mirror\n{A},mask_old,training,,\n",
        "digest,label,split,phash,mirror\nabc,mask_old,train,,\n",
        f"digest,label,split,phash,mirror\n{A},mask_old,train,xyz,\n",
    ],
)
def test_a_damaged_list_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / PHOTOS_FILE).write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=r"photos\.csv: cannot be read as the photos of a run"):
        read_run_photos(tmp_path)
    assert count_run_photos(tmp_path, {A}) == 0
