import os
from pathlib import Path

import pytest

from maskage.dataset.importing.sources.own_output import OwnOutput
from maskage.dataset.importing.sources.source_walk import SYSTEM_REASON, SourceWalk, walk_source
from maskage.errors import EnvironmentProblemError
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise


def put(root: Path, *names: str) -> None:
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode_jpeg(draw_noise(number)))


def reasons(walk: SourceWalk) -> dict[str, str]:
    return {each.path: each.reason for each in walk.left_out}


def test_every_entry_is_a_picture_a_table_or_left_out_with_a_reason(tmp_path: Path) -> None:
    put(tmp_path, "a/1.jpg", "a/noext", "a/.hidden.jpg", ".cache/1.jpg", "a/@eaDir/1.jpg/M.jpg")
    for name in ("a/clip.MOV", "a/raw.NEF", "read me.txt", "labels.csv", "a/more.zip", "x.bin"):
        (tmp_path / name).write_bytes(b"12345")
    for name in ("Thumbs.db", "a/._1.jpg", ".DS_Store"):
        (tmp_path / name).touch()
    os.mkfifo(tmp_path / "a" / "pipe.jpg")
    (tmp_path / "gone.jpg").symlink_to("nowhere.jpg")
    (tmp_path / "empty").mkdir()
    walk = walk_source(tmp_path)
    assert walk.pictures == ("a/1.jpg", "a/noext")
    assert walk.tables == ("labels.csv",)
    found = reasons(walk)
    system = {name for name, reason in found.items() if reason == SYSTEM_REASON}
    assert system == {"Thumbs.db", "a/._1.jpg", ".DS_Store", "a/@eaDir/"}
    assert found["a/.hidden.jpg"] == found[".cache/"] == "hidden"
    assert found["a/clip.MOV"] == "a video; import it by itself, with --label"
    assert found["a/raw.NEF"] == "NEF is not read; save it as JPEG"
    assert found["a/more.zip"].startswith("an archive within the source")
    assert found["read me.txt"] == found["x.bin"] == "no picture, by its name and content"
    assert found["a/pipe.jpg"] == "a pipe or a device, no file"
    assert found["gone.jpg"] == "a link that leads nowhere"
    assert {each.path: each.pictures for each in walk.left_out}[".cache/"] == 1
    assert len(found) == 13


def test_links_are_followed_and_circles_end(tmp_path: Path) -> None:
    put(tmp_path, "nas/b/1.jpg", "src/a/1.jpg")
    source = tmp_path / "src"
    (source / "b").symlink_to("../nas/b")
    (source / "a" / "2.jpg").symlink_to("../../nas/b/1.jpg")
    (source / "a" / "up").symlink_to("..")
    (source / "self").symlink_to("self")
    walk = walk_source(source)
    assert walk.pictures == ("a/1.jpg", "a/2.jpg", "b/1.jpg")
    assert walk.links == 1
    assert reasons(walk) == {
        "a/up": "a link back to a folder that it lies in",
        "self": "a link that leads nowhere",
    }


def test_folders_that_all_link_to_each_other_are_read_in_no_time(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(12)]
    put(tmp_path, *(f"{name}/1.jpg" for name in names))
    for name in names:
        for other in names:
            if name != other:
                (tmp_path / name / other).symlink_to(f"../{other}")
    walk = walk_source(tmp_path)
    assert {f"{name}/1.jpg" for name in names} <= set(walk.pictures)
    assert len(walk.pictures) < 500


def test_a_deep_folder_of_folders_is_read(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 300)
    put(tmp_path, f"{deep}/1.jpg")
    assert walk_source(tmp_path).pictures == (f"{deep}/1.jpg",)


@pytest.mark.usefixtures("heeded_permissions")
def test_folders_that_cannot_be_listed_are_all_named(tmp_path: Path) -> None:
    put(tmp_path, "a/1.jpg", "b/1.jpg", "c/d/1.jpg")
    for name in ("b", "c/d"):
        (tmp_path / name).chmod(0)
    try:
        with pytest.raises(EnvironmentProblemError, match=r"2 folders.*: b/ \(.*c/d/ \("):
            walk_source(tmp_path)
    finally:
        for name in ("b", "c/d"):
            (tmp_path / name).chmod(0o700)


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ([".dataset/manifest.db"], OwnOutput.DATASET),
        (["classes.toml"], OwnOutput.DATASET),
        (["curation.json"], OwnOutput.CURATED),
        (["args.yaml", "metrics.json"], OwnOutput.RUN),
        (["args.yaml", "checkpoints/best.weights.h5"], OwnOutput.RUN),
        (["bundle.json", "classes.toml"], OwnOutput.MODEL),
        (["export.json", "model.onnx"], OwnOutput.MODEL),
        (["export_record.json", "classes.toml"], OwnOutput.EXPORT),
        (["export.json"], None),
        (["args.yaml"], None),
        (["plan.csv"], None),
    ],
)
def test_what_the_toolchain_made_is_not_walked_but_said(
    tmp_path: Path, files: list[str], kind: OwnOutput | None
) -> None:
    put(tmp_path, "photos/1.jpg", "made/mask_old/1.jpg")
    for name in files:
        path = tmp_path / "made" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    walk = walk_source(tmp_path)
    if kind is None:
        assert walk.pictures == ("made/mask_old/1.jpg", "photos/1.jpg")
        return
    assert walk.pictures == ("photos/1.jpg",)
    assert reasons(walk) == {"made/": kind.value}
    assert walk.left_out[0].pictures == 1
    assert walk_source(tmp_path / "made").own is kind


def test_the_dataset_that_is_imported_into_is_no_source_by_whatever_name(tmp_path: Path) -> None:
    put(tmp_path, "src/1.jpg", "data/mask_old/1.jpg")
    (tmp_path / "src" / "link").symlink_to("../data")
    walk = walk_source(tmp_path / "src", tmp_path / "data")
    assert walk.pictures == ("1.jpg",)
    assert reasons(walk) == {"link/": "the dataset that is imported into"}
