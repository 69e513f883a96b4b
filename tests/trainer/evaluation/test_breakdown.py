from functools import partial
from pathlib import Path

import numpy as np
import pytest

from collector.cli import main as collector
from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_scan import FileScan
from maskage.errors import DatasetError
from maskage.pictures.images import encode_jpeg
from maskage.records import Quality
from tests.trainer.conftest import draw_face
from trainer.data.dataset import digest_files
from trainer.evaluation import breakdown
from trainer.evaluation.accuracies import Accuracies
from trainer.evaluation.breakdown import NOT_KNOWN, format_breakdown
from trainer.evaluation.photo_facts import PhotoFacts, gather_facts, read_metadata

break_down = partial(breakdown.break_down, scheme=MASK_AGE)
break_down_by_facts = partial(breakdown.break_down_by_facts, scheme=MASK_AGE)

ACTUAL = np.array([0, 0, 1, 1, 2, 2, 3, 3, 0, 1, 2, 3])
SAID = np.array([0, 0, 0, 1, 2, 2, 3, 1, 0, 1, 2, 3])
"""The third answer has the wrong age, the eighth the wrong mask."""


def make_file_scan(side: int = 100, sharpness: float = 50.0) -> FileScan:
    quality = Quality(sharpness=sharpness, brightness=100.0, clipped=0.0, face_px=0)
    return FileScan("a" * 64, quality=quality, width=side, height=side + 20)


def write_csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_each_value_has_its_own_figures_the_largest_first() -> None:
    found = break_down("source", ["b"] * 4 + ["a"] * 8, ACTUAL, SAID)
    assert [(part.value, part.photos) for part in found.parts] == [("a", 8), ("b", 4)]
    large, small = found.parts
    assert large.accuracies == Accuracies(7 / 8, {"mask": 7 / 8, "age": 1.0})
    assert small.accuracies == Accuracies(3 / 4, {"mask": 1.0, "age": 3 / 4})
    low, high = small.accuracy_interval
    assert (low, high) == pytest.approx((0.3006, 0.9544), abs=1e-4)


def test_small_values_are_folded_and_unknown_ones_come_last() -> None:
    values = ["many"] * 6 + ["one", "two", "two", None, None, None]
    found = break_down("subject", values, ACTUAL, SAID)
    assert found.values == 3
    assert [(part.value, part.photos) for part in found.parts] == [
        ("many", 6), ("2 others", 3), (NOT_KNOWN, 3)
    ]  # fmt: skip
    assert sum(part.photos for part in found.parts) == len(ACTUAL)


def test_a_single_small_value_keeps_its_name() -> None:
    found = break_down("source", ["many"] * 6 + ["more"] * 5 + ["one"], ACTUAL, SAID)
    assert [part.value for part in found.parts] == ["many", "more", "one"]


def test_what_is_known_of_no_photo_has_no_parts() -> None:
    assert break_down("camera", [None] * 12, ACTUAL, SAID).parts == ()


def test_a_value_called_not_known_is_not_mixed_with_what_is_not_known() -> None:
    found = break_down("source", [NOT_KNOWN] * 6 + [None] * 6, ACTUAL, SAID)
    assert [(part.value, part.photos) for part in found.parts] == [(NOT_KNOWN, 6), (NOT_KNOWN, 6)]


def test_size_and_sharpness_come_in_their_own_order() -> None:
    file_scans = (
        [make_file_scan(40, 10)] * 4 + [make_file_scan(300, 20)] * 4 + [make_file_scan(100, 30)] * 4
    )
    nothing = [PhotoFacts()] * 12
    groups = [str(number) for number in range(12)]
    cuts = {
        each.by: [part.value for part in each.parts]
        for each in break_down_by_facts(nothing, groups, file_scans, ACTUAL, SAID)
    }
    assert cuts.keys() == {"source", "subject", "session", "camera", "size", "sharpness"}
    assert cuts["size"] == ["0 to 63 px", "64 to 127 px", "256 px and more"]
    assert cuts["sharpness"] == ["0 to 17", "17 to 23", "23 and more"]
    assert cuts["source"] == []


def test_groups_are_shown_where_several_have_photos_enough() -> None:
    file_scans, nothing = [make_file_scan()] * 12, [PhotoFacts()] * 12
    pairs = ["a"] * 6 + ["b"] * 6
    assert "group" not in [
        each.by for each in break_down_by_facts(nothing, pairs, file_scans, ACTUAL, SAID)
    ]
    many = np.tile(ACTUAL, 2)
    groups = ["a"] * 8 + ["b"] * 8 + ["c"] * 8
    found = break_down_by_facts(nothing * 2, groups, file_scans * 2, many, np.tile(SAID, 2))
    (by_group,) = [each for each in found if each.by == "group"]
    assert [part.photos for part in by_group.parts] == [8, 8, 8]


def test_the_text_has_a_line_for_each_part() -> None:
    text = format_breakdown(break_down("source", ["b"] * 4 + ["a"] * 8, ACTUAL, SAID))
    assert [line.split()[0] for line in text.splitlines()] == ["source", "a", "b"]
    assert "87.50%" in text


def test_metadata_names_photos_with_or_without_their_split(tmp_path: Path) -> None:
    table = write_csv(
        tmp_path / "facts.csv",
        "path,source,subject,licence",
        "mask_old/a.jpg,web,,MIT",
        "test\\mask_old\\b.jpg,book,P1,MIT",
    )
    names = ["test/mask_old/a.jpg", "test/mask_old/b.jpg", "test/mask_old/c.jpg"]
    facts = gather_facts(names, ["1", "2", "3"], tmp_path, read_metadata(table))
    assert facts == (
        PhotoFacts(source="web"), PhotoFacts(source="book", subject="P1"), PhotoFacts()
    )  # fmt: skip


def test_metadata_in_another_spelling_names_its_photo_and_columns_are_said(tmp_path: Path) -> None:
    table = write_csv(
        tmp_path / "facts.csv", "File_Name;Source", "MASK_OLD/A.jpg;web", "b.jpg;book", "x.jpg;z"
    )
    said: list[str] = []
    metadata = read_metadata(table, said.append)
    names = ["test/mask_old/a.jpg", "test/mask_old/b.jpg"]
    facts = gather_facts(names, ["1", "2"], tmp_path, metadata)
    assert facts == (PhotoFacts(source="web"), PhotoFacts(source="book"))
    assert said == [f"{table}: the column 'File_Name' is read as path."]


def test_metadata_of_other_photos_is_refused(tmp_path: Path) -> None:
    table = write_csv(tmp_path / "facts.csv", "path,source", "elsewhere/x.jpg,web")
    with pytest.raises(DatasetError, match=r"elsewhere/x\.jpg"):
        gather_facts(["test/mask_old/a.jpg"], ["1"], tmp_path, read_metadata(table))


@pytest.mark.parametrize("head", ["path,licence", "name,source", ""])
def test_metadata_without_a_usable_column_is_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(DatasetError, match="source, subject, session"):
        read_metadata(write_csv(tmp_path / "facts.csv", head, "a,b"))


def test_the_manifest_behind_a_curated_folder_is_asked_by_content(tmp_path: Path) -> None:
    for session in ("s1", "s2"):
        for number, label in enumerate(MASK_AGE.labels):
            folder = tmp_path / session / label
            folder.mkdir(parents=True)
            for shot in range(6):
                seed = shot + 10 * number + 100 * int(session[1])
                (folder / f"{session}-{shot}.jpg").write_bytes(encode_jpeg(draw_face(label, seed)))
        words = ["--session", session, "--subject", f"P-{session}"]
        data = str(tmp_path / "data")
        assert collector(["import", str(tmp_path / session), data, *words]) == 0
    out = tmp_path / "curated"
    arguments = ["--out", str(out), "--split", "random", "--ratio", "0.6", "0.2", "0.2"]
    assert curate([data, *arguments]) == 0
    from maskage.formats.curated.curated_set import read_curated

    photos = read_curated(out).photos("train")
    names = [f"renamed/{number}" for number in range(len(photos))]
    facts = gather_facts(names, digest_files(photos), out)
    assert [each.session for each in facts] == [photo.path.name[:2] for photo in photos]
    assert {each.subject for each in facts} == {"P-s1", "P-s2"}
    assert {each.camera for each in facts} == {None}, "an imported file's name is no camera"
