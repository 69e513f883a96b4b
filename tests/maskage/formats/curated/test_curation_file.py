"""curation.json is the link from a set to its dataset: it survives moves, odd names and damage."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.cli import main
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError
from maskage.formats.curated.curated_set import read_contents, read_curated
from maskage.formats.curated.curation_file import SetOrigin, find_origin, read_curation
from maskage.formats.run.datasets_behind import datasets_behind
from tests.maskage.formats.curated.test_curated_set import make_splits

WORDS = ["--dedupe", "--expand", "9", "--ratio", ".6", ".2", ".2", "--seed", "7"]


@pytest.fixture
def project(four_folders: Callable[..., Path], tmp_path: Path) -> Path:
    """A project with a dataset `data` and its set `curated`."""
    (tmp_path / "project").mkdir()
    four_folders(10).rename(tmp_path / "project" / "data")
    return make_set(tmp_path / "project")


def make_set(project: Path, *words: str) -> Path:
    where = [str(project / "data"), "--out", str(project / "curated")]
    assert main([*where, *(words or WORDS), "--allow", "blurred"]) == 0
    return project


def values_of(project: Path) -> dict[str, Any]:
    return dict(json.loads((project / "curated" / "curation.json").read_text()))


def test_a_record_tells_how_its_set_was_made(project: Path) -> None:
    values = values_of(project)
    contents = read_contents(project / "curated")
    assert (values["dataset"], values["dataset_relative"]) == (str(project / "data"), "../data")
    assert values["dataset_digest"] == contents.digest
    assert (values["classes"], values["seed"]) == (list(MASK_AGE.labels), 7)
    assert values["settings"]["ratio"] == [0.6, 0.2, 0.2]
    assert values["settings"]["limits"]["allowed"] == ["blurred"]
    assert read_curated(project / "curated").curation == read_curation(project / "curated")


def test_its_options_make_the_same_set_byte_for_byte(project: Path) -> None:
    files = {path: path.read_bytes() for path in project.rglob("curated/**/*") if path.is_file()}
    assert any("__" in path.name for path in files), "there are variants"
    options = values_of(project)["options"]
    shutil.rmtree(project / "curated")
    assert main([str(project / "data"), "--out", str(project / "curated"), *options]) == 0
    again = {path: path.read_bytes() for path in project.rglob("curated/**/*") if path.is_file()}
    assert again == files


def test_the_link_is_kept_without_the_page_and_where_the_project_moves(project: Path) -> None:
    (project / "curated" / "report.html").unlink()
    assert find_origin(project / "curated").dataset == project / "data"
    moved = project.rename(project.with_name("moved"))
    assert find_origin(moved / "curated").dataset == moved / "data"
    command = f"curate {moved / 'data'} --out {moved / 'curated'} --dedupe --expand 9 "
    assert read_contents(moved / "curated").command(moved / "other").startswith(command)
    # The set alone, beside another dataset, is still that of the first.
    (moved.parent / "data").mkdir()
    alone = moved / "curated"
    main([str(moved / "data"), "--out", str(alone)])
    alone = alone.rename(moved.parent / "curated")
    assert find_origin(alone).dataset == moved / "data"


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_any_name_of_a_dataset_comes_back(four_folders: Callable[..., Path]) -> None:
    name = os.fsdecode(b"d\xe4ta \\xe4 \x1b[31m\n")
    data = four_folders(10, name)
    out = data.with_name("curated")
    assert main([str(data), "--out", str(out)]) == 0
    record = read_curation(out)
    assert record is not None
    assert record.dataset == data
    (out / "curation.json").read_bytes().decode("utf-8")
    assert find_origin(out).dataset == data


DAMAGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "it is not JSON": lambda values: "{",
    "its schema is 2, this version reads 1": lambda values: values | {"schema_version": 2},
    "it has no 'dataset'": lambda values: {k: v for k, v in values.items() if k != "dataset"},
    "its dataset is 'data'": lambda values: values | {"dataset": "data"},
    "its classes are": lambda values: values | {"classes": ["a"]},
    "its held_out is 'strangers'": lambda values: values | {"held_out": "strangers"},
    "its dataset_digest is 'abc'": lambda values: values | {"dataset_digest": "abc"},
    "'7' is not a text": lambda values: values | {"options": [7]},
    "list indices": lambda values: [values],
}


@pytest.mark.parametrize("found", list(DAMAGES))
def test_a_damaged_record_is_an_error_for_a_training_and_hides_no_set(
    project: Path, found: str
) -> None:
    path, values = project / "curated" / "curation.json", DAMAGES[found](values_of(project))
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    with pytest.raises(DatasetError) as fault:
        read_curated(project / "curated")
    assert f"{path}: cannot be read" in str(fault.value)
    assert found in str(fault.value)
    assert "Curate again, or remove the file" in str(fault.value)
    # Who searches for a person's photos goes on with what there is.
    find_origin(project / "curated")
    datasets_behind([project / "curated"])
    assert len(read_contents(project / "curated").files) >= 40
    # Both remedies help.
    make_set(project)
    assert read_curated(project / "curated").curation is not None
    path.unlink()
    assert read_curated(project / "curated").curation is None


def test_a_strangers_set_has_no_origin(tmp_path: Path) -> None:
    folder = make_splits(tmp_path / "c")
    assert find_origin(folder) == SetOrigin()
    assert read_curated(folder).curation is None
    assert read_contents(folder).command(tmp_path) == f"curate {tmp_path} --out {folder}"
    assert datasets_behind([folder]) == set()
