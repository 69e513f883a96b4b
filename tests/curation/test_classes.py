"""`curate` with classes of one's own: odd names, many of them, none of the four."""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from curation.build.report import render_report
from curation.cli import CURATE, main
from curation.labels.check import find_doubtful_labels
from curation.masks.painting import Wearing
from curation.options import settings_of
from curation.plan.plan import CurationPlan, PlannedPhoto
from curation.plan.planning import make_plan
from curation.settings import CurationSettings
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import AGE, MASK, NONE, OLD, WORN, YOUNG, PhotoClass, Scheme
from maskage.formats.classes.classes_file import CLASSES_FILE, format_scheme, read_scheme
from maskage.formats.curated.curated_set import SPLITS, read_curated
from maskage.formats.curated.curation_file import read_curation
from maskage.formats.curated.plan_file import read_plan
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise
from tests.curation.labels.test_label_check import make_bursts
from tests.pages import Page

MakeFolders = Callable[..., Path]

ODD = (
    "=1+1",
    "CON",
    "Mask",
    "mask",
    "total",
    "unsure",
    "path",
    "with a blank",
    "smile 😀",
    "שלום",
    "قناع name",
    "<b>&amp;",
    "{{ 7 * 7 }}",
    "l" * 80,
)


def write_dataset(root: Path, scheme: Scheme, photos: int = 12) -> Path:
    """Write a dataset with distinct pictures in each class folder, and its classes.toml."""
    root.mkdir()
    (root / CLASSES_FILE).write_text(format_scheme(scheme), encoding="utf-8")
    for number, label in enumerate(scheme.labels):
        (root / label).mkdir()
        for shot in range(photos):
            picture = encode_jpeg(draw_noise(1000 * number + shot, 64))
            (root / label / f"{shot:03d}.jpg").write_bytes(picture)
    return root


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "plan.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_classes_with_odd_names_come_through_every_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scheme = plain_scheme(ODD)
    root, out = write_dataset(tmp_path / "data", scheme), tmp_path / "curated"
    for extra in range(3):
        (root / "CON" / f"more{extra}.jpg").write_bytes(encode_jpeg(draw_noise(90_000 + extra, 64)))
    words = [str(root), "--out", str(out), "--dedupe", "--balance", "--ratio", ".6", ".2", ".2"]
    assert main([*words, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert tuple(summary["found"]) == ODD
    assert all(summary["counts"]["val"].values())
    assert read_scheme(out) == scheme
    record = read_curation(out)
    assert record is not None
    assert record.classes == ODD
    curated = read_curated(out)
    assert curated.scheme == scheme
    counts = Counter(photo.label for photo in curated.photos("train"))
    assert set(counts) == set(ODD)
    assert len(set(counts.values())) == 1
    # A spreadsheet would compute a cell that begins with "=".
    written = {"./=1+1" if label == "=1+1" else label for label in ODD}
    assert {row["label"] for row in rows_of(out)} == written
    assert {row.label for row in read_plan(out)} == set(ODD)
    page = Page(out / "report.html")
    assert "49" not in page.words
    assert "قناع name" in page.words
    assert main(words) == 0
    table = capsys.readouterr().out.splitlines()
    assert [line for line in table if line.startswith("قناع name ")]
    assert len({len(line) for line in table[1:3]}) == 1


def test_two_classes_are_enough_and_every_set_says_its_classes(
    four_folders: MakeFolders, tmp_path: Path
) -> None:
    scheme = READY_MADE["mask"]
    root = write_dataset(tmp_path / "data", scheme)
    assert main([str(root), "--out", str(tmp_path / "two")]) == 0
    assert read_scheme(tmp_path / "two") == scheme
    assert sorted(path.name for path in (tmp_path / "two" / "val").iterdir()) == ["mask", "nomask"]
    assert main([str(four_folders(12)), "--out", str(tmp_path / "four")]) == 0
    assert (tmp_path / "four" / CLASSES_FILE).read_text("utf-8") == format_scheme(MASK_AGE)


def test_forty_classes_are_counted_in_rows_and_a_person_has_one_row(tmp_path: Path) -> None:
    scheme = plain_scheme([f"class {number}" for number in range(40)])
    photos = tuple(
        PlannedPhoto(
            f"{label}/{shot}.jpg",
            label,
            kept=shot != 2,
            split=SPLITS[0],
            group=f"g{shot}",
            subject=f"p{shot % 2}",
        )
        for label in scheme.labels[:39]
        for shot in range(3)
    )
    plan = CurationPlan(tmp_path, CurationSettings(), scheme, photos)
    (tmp_path / "report.html").write_text(render_report(plan, tmp_path), encoding="utf-8")
    page = Page(tmp_path / "report.html").text
    heads = [part.split("</thead>")[0].count("<th ") for part in page.split("<thead>")[1:]]
    assert max(heads) == 7
    assert all(each.color in page for each in scheme)
    cells = page.split('<th scope="row">p0</th>')[1].split("</tr>")[0]
    assert cells.count("<td>") == 3
    assert "class 0 1 of 2; class 1 1 of 2; " in cells
    assert "class 39" not in cells


def test_folders_that_are_no_class_are_counted_with_the_ways_to_use_them(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = four_folders(12), tmp_path / "out"
    shutil.copytree(source / "mask_old", source / "maskold")
    (source / "notes").mkdir()
    assert main([str(source), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "were not read: maskold (12 photos, perhaps mask_old), notes (0 photos)" in told.err
    add = f"`collector classes {source} --add maskold --factor mask=VALUE --factor age=VALUE`"
    assert f"{add} makes maskold a class (mask is worn, none or a new value; age is" in told.err
    assert "--map" in told.err
    assert "not read: 12 photos in 2 folders that are no class" in told.out
    assert main([str(source), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["unknown_folders"] == {"maskold": 12, "notes": 0}
    shutil.rmtree(source / "mask_old")
    assert main([str(source), "--out", str(out)]) == 4
    told = capsys.readouterr()
    assert "no photos of mask_old (no such folder)" in told.err
    assert "maskold (12 photos, perhaps mask_old)" in told.err
    assert f"`collector classes {source} --rename mask_old maskold` renames the class" in told.err


def test_somebody_elses_folders_are_refused_with_the_command_that_makes_them_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_dataset(tmp_path / "data of mine", plain_scheme(["cats", "dogs"]))
    (root / CLASSES_FILE).unlink()
    assert main([str(root), "--out", str(tmp_path / "out")]) == 4
    told = capsys.readouterr().err
    assert "none of its folders is a class" in told
    assert "found cats (12 photos), dogs (12 photos)" in told
    assert f"`collector init '{root}' --from '{root}'`" in told
    assert not (tmp_path / "out").exists()


def test_a_damaged_scheme_is_refused(
    four_folders: MakeFolders, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = four_folders(12)
    (source / CLASSES_FILE).write_text("[[class]]\nfolder = 3\n")
    assert main([str(source), "--out", str(tmp_path / "out")]) == 4
    assert CLASSES_FILE in capsys.readouterr().err


def test_masks_are_painted_only_where_a_class_is_bare(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    words = ["--paint-masks", "1", "--face-model", str(model), "--out", str(tmp_path / "out")]
    plain = write_dataset(tmp_path / "plain", plain_scheme(["cats", "dogs"]))
    assert main([str(plain), *words]) == 2
    told = capsys.readouterr().err
    assert "--paint-masks" in told
    assert "they have no factor mask" in told


def faces_dataset(root: Path, shared: Path, scheme: Scheme, sources: Sequence[str]) -> Path:
    """Write a dataset whose classes hold photographs of classes of the shared faces."""
    root.mkdir()
    (root / CLASSES_FILE).write_text(format_scheme(scheme), encoding="utf-8")
    taken: Counter[str] = Counter()
    for label, source in zip(scheme.labels, sources, strict=True):
        (root / label).mkdir()
        paths = sorted((shared / "faces" / source).glob("*.jpg"))[::20]
        for path in paths[taken[source] : taken[source] + 8]:
            shutil.copy(path, root / label)
        taken[source] += 8
    return root


def test_misworn_painted_masks_go_to_the_misworn_class_where_there_is_one(
    tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scheme = READY_MADE["mask-state"]
    sources = ("mask_young", "mask_young", "nomask_young")
    root = faces_dataset(tmp_path / "data", shared, scheme, sources)
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    out = tmp_path / "out"
    words = [str(root), "--paint-masks", "--face-model", str(model), "--out", str(out)]
    assert main(words) == 0
    told = capsys.readouterr()
    painted = [row for row in rows_of(out) if row["parent"]]
    assert painted
    for row in painted:
        assert row["parent"].startswith(("none/", "worn/"))
        assert row["label"] == ("worn" if "__worn" in row["path"] else "misworn")
    assert any(row["parent"].startswith("worn/") for row in painted)
    assert "worn wrongly (misworn)" in told.out
    assert "which count as misworn" in (out / "report.html").read_text("utf-8")


def test_masks_of_a_missing_class_are_left_out_and_counted(tmp_path: Path, shared: Path) -> None:
    def made(folder: str, mask: str, age: str) -> PhotoClass:
        return PhotoClass(folder, folder, "#123456", factors={MASK: mask, AGE: age})

    scheme = Scheme(
        (made("a", WORN, YOUNG), made("b", NONE, YOUNG), made("c", NONE, OLD)),
        {MASK: (WORN, NONE), AGE: (OLD, YOUNG)},
    )
    sources = ("mask_young", "nomask_young", "nomask_old")
    root = faces_dataset(tmp_path / "data", shared, scheme, sources)
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    words = [str(root), "--paint-masks", "--face-model", str(model)]
    options = CURATE.make_parser("curate").parse_args(words)
    options.paint_masks = 1.0
    plan = make_plan(root, settings_of(options))
    ways = Counter((p.label, p.painting.wearing) for p in plan.painted if p.painting)
    assert ways["a", Wearing.WORN] > 0
    assert not any(label == "a" for label, wearing in ways if wearing is not Wearing.WORN)
    assert sum(count for (label, _), count in ways.items() if label == "c") > 0
    texts = [notice.text for notice in plan.notices]
    assert any("faces of c got no mask that is worn" in text for text in texts)


def test_a_class_from_few_groups_is_not_checked_and_the_others_are() -> None:
    features, labels, groups = make_bursts()
    few = [index for index, label in enumerate(labels) if label == "mask_young"][24:]
    kept = [index for index in range(len(labels)) if index not in set(few)]
    labels = [labels[index] for index in kept]
    groups = [groups[index] for index in kept]
    features = features[kept]
    wrong = {index for index, group in enumerate(groups) if group == 3}
    for index in wrong:
        labels[index] = "nomask_young"
    check = find_doubtful_labels(features, labels, groups, MASK_AGE.labels)
    assert {doubt.index for doubt in check.doubts} == wrong
    assert {doubt.suggested for doubt in check.doubts} == {"mask_old"}
    assert check.unchecked == {"mask_young": 2}
    assert check.notice is not None
    assert "mask_young from 2" in check.notice


def test_the_splits_of_every_class_are_in_the_set(tmp_path: Path) -> None:
    scheme = plain_scheme(["one", "two", "three"])
    root, out = write_dataset(tmp_path / "data", scheme), tmp_path / "out"
    assert main([str(root), "--split", "random", "--balance", "drop", "--out", str(out)]) == 0
    for split in SPLITS:
        assert {photo.label for photo in read_curated(out).photos(split)} == set(scheme.labels)
