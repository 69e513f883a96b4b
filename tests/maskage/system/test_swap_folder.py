from pathlib import Path

import pytest

from maskage.system import swap_folder
from maskage.system.swap_folder import recover_former, swap_in


def folder(path: Path, content: str) -> Path:
    path.mkdir(parents=True)
    (path / "file").write_text(content)
    return path


@pytest.fixture(params=["at once", "one after the other"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "one after the other":
        monkeypatch.setattr(swap_folder, "exchange_names", lambda one, other: False)
    return str(request.param)


def test_the_new_takes_the_place_and_the_former_its_name(tmp_path: Path, way: str) -> None:
    new, place = folder(tmp_path / "work" / "new", "new"), folder(tmp_path / "place", "old")
    swap_in(new, place)
    assert (place / "file").read_text() == "new"
    assert (new / "file").read_text() == "old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == [
        "file", "file", "new", "place", "work",
    ]  # fmt: skip


def test_a_place_that_is_free_is_taken(tmp_path: Path, way: str) -> None:
    swap_in(folder(tmp_path / "new", "new"), tmp_path / "place")
    assert [path.name for path in tmp_path.iterdir()] == ["place"]


def test_what_was_moved_away_comes_back_when_the_second_step_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swap_folder, "exchange_names", lambda one, other: False)
    place = folder(tmp_path / "place", "old")
    with pytest.raises(FileNotFoundError):
        swap_in(tmp_path / "new", place)
    assert (place / "file").read_text() == "old"


def test_what_a_kill_between_two_steps_left_is_put_back(tmp_path: Path) -> None:
    place = folder(tmp_path / "place", "old")
    new = folder(tmp_path / "new", "new")
    place.rename(tmp_path / "new-former")
    recover_former(new, place)
    assert (place / "file").read_text() == "old"
    recover_former(new, place)
    assert (new / "file").read_text() == "new"
