"""What an export holds, in each format, and that it is written whole or not at all."""

import io
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

import collector.cli
from curation.cli import main
from curation.export.coco import face_in_photo
from curation.export.pictures import ExportPicture
from curation.export.source import SourcePhoto
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_listing import list_photos
from maskage.faces.finder import crop_face
from maskage.formats.classes.classes_file import parse_scheme
from maskage.formats.curated.curated_set import SPLITS, list_files, read_curated
from maskage.formats.curated.export_file import read_export
from maskage.formats.curated.plan_file import read_plan
from maskage.pictures.images import decode_image, encode_jpeg, read_image
from maskage.records import FaceBox
from tests.conftest import draw_noise, make_once
from tests.curation.export.exported import (
    AGREED,
    OWN_FILES,
    digest_of,
    files_in,
    make_dataset,
    metadata_of,
)
from tests.curation.odd_pictures import fill_with_odd_pictures, turned

HOUSE = Path(__file__).parents[3]
CURATE = "import sys; from curation.cli import main; sys.exit(main(sys.argv[1:]))"
FORMATS = ("folder", "zip", "parquet", "coco")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """People without any consent on record, whose photos may all leave."""

    def make(root: Path) -> None:
        make_dataset(root / "data", with_consents=False)
        assert main([str(root / "data"), "--out", str(root / "curated")]) == 0

    return make_once(tmp_path_factory, "exported", make)


def export(source: Path, out: Path, *words: str) -> Path:
    assert main(["export", str(source), "--out", str(out), *words]) == 0
    return out


@pytest.mark.parametrize("to", ["folder", "zip", "coco"])
def test_what_left_comes_in_again_with_its_labels_and_splits(
    project: Path, tmp_path: Path, to: str
) -> None:
    out = export(project / "curated", tmp_path / "out", "--to", to)
    assert collector.cli.main(["import", str(out), str(tmp_path / "data")]) == 0
    found = Counter((photo.origin, photo.label) for photo in list_photos(tmp_path / "data"))
    rows = [row for row in read_plan(project / "curated") if row.is_kept]
    assert found == Counter((row.split, row.label) for row in rows)


def test_a_folder_holds_every_photo_of_the_set_and_a_table_of_them(
    project: Path, tmp_path: Path
) -> None:
    out = export(project / "curated", tmp_path / "out")
    files, rows = files_in(out), metadata_of(out)
    assert set(files) == OWN_FILES | {row["file_name"] for row in rows}
    curated = sorted(
        (project / "curated" / place).read_bytes() for place in list_files(project / "curated")
    )
    assert sorted(files[row["file_name"]] for row in rows) == curated
    for row in rows:
        assert row["file_name"].split("/")[:2] == [row["split"], row["label"]]
        height, width = decode_image(files[row["file_name"]]).shape[:2]
        assert (row["width"], row["height"]) == (width, height)
    # Groups hold together as in the set.
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row["group"], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())
    assert parse_scheme(files["classes.toml"]) == MASK_AGE
    # It is a set itself: every loader of one reads it.
    assert sum(len(read_curated(out).photos(split)) for split in SPLITS) == len(rows)


@pytest.mark.parametrize("to", FORMATS)
def test_no_name_of_a_person_or_place_leaves(project: Path, tmp_path: Path, to: str) -> None:
    out = export(project / "curated", tmp_path / "out", "--to", to)
    everything = b"\n".join([*files_in(out).values(), *map(str.encode, files_in(out))])
    assert b"anna" not in everything
    assert b"bert" not in everything
    assert str(project).encode() not in everything
    for path in (project / "data").rglob("*.jpg"):
        assert path.stem.encode() not in everything


@pytest.mark.parametrize("to", FORMATS)
def test_pseudonyms_leave_on_request(project: Path, tmp_path: Path, to: str) -> None:
    out = export(project / "curated", tmp_path / "out", "--to", to, "--with-subjects")
    if to != "parquet":
        found = {row["subject"] for row in metadata_of(out) if "subject" in row}
        assert set(AGREED) <= found
    assert any(b"anna-1" in data for data in files_in(out).values())


@pytest.mark.parametrize("to", FORMATS)
def test_the_same_photos_give_the_same_bytes(project: Path, tmp_path: Path, to: str) -> None:
    words = ("--to", to, "--title", "Masks", "--license", "cc-by-4.0")
    one = export(project / "curated", tmp_path / "one", *words)
    two = export(project / "curated", tmp_path / "two", *words)
    assert digest_of(one) == digest_of(two)


def test_a_zip_holds_the_files_of_the_folder(project: Path, tmp_path: Path) -> None:
    folder = export(project / "curated", tmp_path / "one", "--title", "Masks")
    packed = export(project / "curated", tmp_path / "one.zip", "--title", "Masks", "--to", "zip")
    inside, outside = files_in(packed), files_in(folder)
    assert list(inside) == sorted(inside)
    assert set(inside) == set(outside)
    for name in inside:
        if name != "export_record.json":  # says which of the two it is
            assert inside[name] == outside[name], name


def test_a_parquet_file_holds_pictures_and_the_names_of_classes(
    project: Path, tmp_path: Path
) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    out = export(project / "curated", tmp_path / "out", "--to", "parquet")
    counts: Counter[tuple[str, str]] = Counter()
    for path in sorted((out / "data").iterdir()):
        table = parquet.read_table(path)
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        assert features["label"] == {"names": list(MASK_AGE.labels), "_type": "ClassLabel"}
        assert features["image"] == {"_type": "Image"}
        for row in table.to_pylist():
            counts[path.name.split("-")[0], MASK_AGE.labels[row["label"]]] += 1
            assert decode_image(row["image"]["bytes"]).shape == (64, 64, 3)
    kept = Counter((row.split, row.label) for row in read_plan(project / "curated") if row.is_kept)
    assert counts == kept
    head = yaml.safe_load((out / "README.md").read_text().split("---")[1])
    assert {each["split"] for each in head["configs"][0]["data_files"]} == set(SPLITS)


def test_coco_has_a_box_for_each_photo(project: Path, tmp_path: Path) -> None:
    out = export(project / "curated", tmp_path / "out", "--to", "coco")
    seen = 0
    for split in SPLITS:
        values: dict[str, Any] = json.loads(
            (out / "annotations" / f"instances_{split}.json").read_text()
        )
        names = {each["id"]: each["name"] for each in values["categories"]}
        assert list(names.values()) == list(MASK_AGE.labels)
        images = {each["id"]: each for each in values["images"]}
        assert [each["image_id"] for each in values["annotations"]] == list(images)
        for each in values["annotations"]:
            image = images[each["image_id"]]
            assert (out / "images" / image["file_name"]).is_file()
            assert image["file_name"].split("/")[:2] == [split, names[each["category_id"]]]
            assert each["bbox"] == [0, 0, image["width"], image["height"]]
            assert each["box_of"] == "photo"
            seen += 1
    assert seen == len(metadata_of(out))


@pytest.mark.parametrize("box", [(100, 60, 40, 50), (2, 3, 40, 50), (5, 90, 31, 31)])
def test_the_box_of_a_face_is_where_the_camera_found_it(box: tuple[int, int, int, int]) -> None:
    frame = np.zeros((240, 320, 3), np.uint8)
    x, y, width, height = box
    frame[y : y + height, x : x + width] = 255
    photo = crop_face(frame, FaceBox(*box))
    side = photo.shape[0]
    source = SourcePhoto(Path("a.jpg"), "mask_old", box=FaceBox(*box))
    found = face_in_photo(ExportPicture(source, "a.jpg", b"", side, side, frozenset()))
    assert found is not None
    left, top, across, down = found
    assert (across, down) == (width, height)
    assert (photo[top : top + down, left : left + across] == 255).all()


def test_a_photo_that_is_not_that_square_is_its_own_box() -> None:
    source = SourcePhoto(Path("a.jpg"), "mask_old", box=FaceBox(10, 10, 40, 40))
    assert face_in_photo(ExportPicture(source, "a.jpg", b"", 96, 96, frozenset())) is None
    unknown = SourcePhoto(Path("a.jpg"), "mask_old")
    assert face_in_photo(ExportPicture(unknown, "a.jpg", b"", 64, 64, frozenset())) is None


def test_a_dataset_is_exported_without_splits_and_upright(tmp_path: Path) -> None:
    root = fill_with_odd_pictures(tmp_path / "data")
    secret = turned(draw_noise(77), 6).replace(b"\xff\xdb", b"\xff\xfe\x00\x08Anna5\x00\xff\xdb", 1)
    (root / "mask_old" / "secret.jpg").write_bytes(secret)
    out = export(root, tmp_path / "out")
    files, rows = files_in(out), metadata_of(out)
    assert len(rows) == sum(path.is_file() for path in root.rglob("*"))
    assert not any("split" in row for row in rows)
    for row in rows:
        data = files[row["file_name"]]
        assert Path(row["file_name"]).suffix in (".jpg", ".jpeg", ".png", ".bmp")
        with Image.open(io.BytesIO(data)) as image:
            assert not image.getexif()
            assert image.mode in ("RGB", "RGBA", "L", "LA", "P")
        assert b"Anna5" not in data
    shown = [files[row["file_name"]] for row in rows if row["label"] == "mask_old"]
    photo = read_image(root / "mask_old" / "secret.jpg").astype(int)
    assert min(
        np.abs(decode_image(data) - photo).mean()
        for data in shown
        if decode_image(data).shape == photo.shape
    ) < 3  # fmt: skip


def test_a_broken_photo_is_counted_with_its_reason(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = fill_with_odd_pictures(tmp_path / "data")
    photo = root / "mask_old" / "plain.jpg"
    photo.write_bytes(photo.read_bytes()[:-400])
    capsys.readouterr()
    export(root, tmp_path / "out", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["left_out"] == {"no whole picture; see `collector doctor`": 1}
    assert told["photos"] == sum(1 for path in root.rglob("*") if path.is_file()) - 1
    assert read_export(tmp_path / "out").photos == told["photos"]


def test_the_card_says_what_is_there_and_what_is_not(project: Path, tmp_path: Path) -> None:
    card = (export(project / "curated", tmp_path / "one") / "README.md").read_text()
    assert "No licence was given yet" in card
    assert "No consent of the people" in card
    assert "license" not in yaml.safe_load(card.split("---")[1])
    words = ("--license", "cc-by-4.0", "--title", "Masks <b> of | ours")
    card = (export(project / "curated", tmp_path / "two", *words) / "README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["license"] == "cc-by-4.0"
    assert "# Masks \\<b\\> of \\| ours" in card
    for label in MASK_AGE.labels:
        count = sum(row.label == label and row.split == "train" and row.is_kept
                    for row in read_plan(project / "curated"))  # fmt: skip
        assert f"| `{label}` ({MASK_AGE.title(label)}) | {count} |" in card


def test_what_is_there_is_replaced_only_on_request_and_only_if_it_is_an_export(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = str(project / "curated"), tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    for words in ([], ["--replace"]):
        assert main(["export", source, "--out", str(out), *words]) == 2
        assert "is no export" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
    (out / "mine.txt").unlink()
    export(project / "curated", out)
    before = digest_of(out)
    assert main(["export", source, "--out", str(out), "--title", "Other"]) == 2
    assert "Add --replace" in capsys.readouterr().err
    assert digest_of(out) == before
    export(project / "curated", out, "--title", "Other", "--replace")
    assert "# Other" in (out / "README.md").read_text()
    assert main(["export", source, "--out", str(out), "--to", "zip", "--replace"]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_is_not_read_is_named_and_whole_folders_are_not_passed_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_dataset(tmp_path / "data", with_consents=False)
    (root / "mask_old" / "notes.txt").write_text("hello")
    capsys.readouterr()
    export(root, tmp_path / "out", "--json")
    captured = capsys.readouterr()
    assert json.loads(captured.out)["not_read"] == ["mask_old/notes.txt"]
    assert "Left out 1: mask_old/notes.txt" in captured.err
    (root / "mask_old" / "more").mkdir()
    (root / "mask_old" / "more" / "a.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    assert main(["export", str(root), "--out", str(tmp_path / "two")]) == 4
    assert "1 pictures are not exported" in capsys.readouterr().err
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("place", ["curated", "curated/train/out", "data/out", "."])
def test_an_export_never_lies_in_what_it_is_made_of(
    project: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digest_of(project)
    assert main(["export", str(project / "curated"), "--out", str(project / place)]) == 2
    assert "lie in each other" in capsys.readouterr().err
    assert digest_of(project) == before


def export_in_process(source: Path, out: Path, **settings: Any) -> "subprocess.Popen[str]":
    words = ["export", str(source), "--out", str(out), "--replace"]
    return subprocess.Popen(
        [sys.executable, "-c", CURATE, *words], cwd=HOUSE, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("to", ["folder", "parquet"])
def test_a_disk_that_refuses_leaves_the_former_export(
    project: Path, tmp_path: Path, to: str
) -> None:
    out = export(project / "curated", tmp_path / "out", "--to", to)
    before = digest_of(out)

    def allow_small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    with export_in_process(project / "curated", out, preexec_fn=allow_small_files) as process:
        _, said = process.communicate()
    assert process.returncode == 5
    assert "What was there before is untouched" in said
    assert digest_of(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_killed_export_leaves_the_former_one_and_the_next_cleans_up(
    project: Path, tmp_path: Path
) -> None:
    out = export(project / "curated", tmp_path / "out")
    before = digest_of(out)
    with export_in_process(project / "curated", out) as process:
        # Killed while pictures are written.
        while process.poll() is None and not list(tmp_path.glob(".out-building-*/result/*/*")):
            time.sleep(0.001)
        process.kill()
        process.communicate()
    assert digest_of(out) == before
    export(project / "curated", out, "--replace")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert digest_of(out) == before


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["export", "missing"], 4, "No folder at"),
        (["export", ".", "--to", "tar"], 2, "folder, zip, parquet, coco"),
        (["export", "--title", " "], 2, "--title is one line"),
        (["expot"], 2, "Did you mean `curate export`?"),
    ],
)
def test_a_wrong_line_is_answered(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_dataset_named_export_is_curated_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path / "export")
    monkeypatch.chdir(tmp_path)
    assert main(["./export", "--out", "one"]) == 0
    assert main(["--data", "export", "--out", "two"]) == 0
    assert main(["split", "export", "--out", "three"]) == 0
    plans = {(tmp_path / name / "plan.csv").read_bytes() for name in ("one", "two", "three")}
    assert len(plans) == 1
