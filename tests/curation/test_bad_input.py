"""What a dataset, a disk or another process may do to `curate`, and that nothing is lost by it."""

import csv
import errno
import hashlib
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from curation.build import materialise
from curation.cli import main
from curation.grouping.conflicts import LabelConflict, find_label_conflicts
from curation.grouping.look_alikes import LookAlikes
from curation.plan import planning
from curation.plan.dataset import LabelledDataset, read_dataset
from curation.plan.plan import CurationPlan
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.doctor.repair import repair_dataset
from maskage.dataset.photo_scan import PhotoScan, scan_file
from maskage.dataset.store import PhotoStore
from maskage.errors import UnreadableImageError
from maskage.formats.curated.curated_set import SPLITS, read_curated
from maskage.formats.dataset_folder import manifest_path
from maskage.pictures.images import decode_image, encode_jpeg, read_image
from maskage.system.paths import scan_cache_path
from tests.conftest import draw_noise
from tests.curation.broken_pictures import break_picture, encoded, png_claiming
from tests.maskage.dataset.saving_checks import small_disk

MakeFolders = Callable[..., Path]
State = dict[str, tuple[object, ...]]
LOG = ".dataset/outputs.jsonl"
ROOT = Path(__file__).parents[2]
LONGEST_NAME = 255

DONE, USAGE, STRICT, DATASET, ENVIRONMENT = 0, 2, 3, 4, 5


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("MASKAGE_CACHE", str(folder))
    return folder


@pytest.fixture
def data(four_folders: MakeFolders) -> Path:
    """Ten photos a class, last changed long ago, so that the cache takes what is seen of them."""
    return make_old(four_folders(10, "data"))


def make_old(folder: Path) -> Path:
    for path in folder.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1_700_000_000, 1_700_000_000))
    return folder


def without_log(state: State) -> State:
    """Leave out the log in which a dataset remembers where its sets were written."""
    return {name: each for name, each in state.items() if name not in (".dataset", LOG)}


@dataclass(frozen=True)
class Answer:
    """How `curate` ended, and what it told."""

    code: int
    stdout: str
    stderr: str


@dataclass
class Curate:
    """Runs the command, and holds it to what it promises however it ends.

    The dataset is as it was, to the times of its files; where the command failed so is the former
    result; nothing half made is left beside it; and no fault is called a bug.
    """

    capsys: pytest.CaptureFixture[str]
    data: Path
    out: Path
    results: list[Answer] = field(default_factory=list)

    def __call__(self, *words: str) -> Answer:
        before, former = state_of(self.data), state_of(self.out)
        code = main([str(self.data), "--out", str(self.out), *words])
        told = self.capsys.readouterr()
        assert "this is a bug" not in told.err
        assert "Traceback" not in told.err
        assert without_log(state_of(self.data)) == without_log(before)
        assert code == DONE or state_of(self.out) == former
        assert left_overs(self.out) == []
        return Answer(code, told.out, told.err)

    def plan(self) -> dict[str, dict[str, str]]:
        """The rows of plan.csv, by path."""
        with (self.out / "plan.csv").open(newline="", encoding="utf-8") as file:
            return {row["path"]: row for row in csv.DictReader(file)}

    def reasons(self) -> dict[str, str]:
        """Why photos were set aside, by path."""
        return {path: row["reason"] for path, row in self.plan().items() if row["kept"] == "0"}


@pytest.fixture
def curate(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Curate:
    return Curate(capsys, data, tmp_path / "curated")


def state_of(folder: Path) -> State:
    """Everything in a folder: kind, time of change, content."""
    if not folder.exists():
        return {}
    found: State = {}
    for path in [folder, *folder.rglob("*")]:
        facts = path.lstat()
        content: object = None
        if path.is_symlink():
            content = path.readlink()
        elif path.is_file() and os.access(path, os.R_OK, effective_ids=True):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        found[os.fsdecode(path.relative_to(folder))] = (facts.st_mode, facts.st_mtime_ns, content)
    return found


def content_of(folder: Path) -> State:
    """As `state_of`, without the times: what two runs have alike, but for where they were asked."""
    return {
        name: (mode, content)
        for name, (mode, _, content) in state_of(folder).items()
        if name != "report.html"
    }


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def left_overs(out: Path) -> list[str]:
    return [name for name in names_in(out.parent) if "-building-" in name]


def picture(seed: int = 7, size: int = 96) -> Image.Image:
    return Image.fromarray(draw_noise(seed, size))


# --- files that are no photos -----------------------------------------------------------------


def heic() -> bytes:
    """The start of a HEIC file, and nothing that is a picture."""
    return struct.pack(">I4s4sI4s4s", 24, b"ftyp", b"heic", 0, b"mif1", b"heic") + bytes(500)


UNREADABLE: dict[str, tuple[bytes, str]] = {
    "cut.jpg": (encode_jpeg(draw_noise(1))[:900], "cut short or damaged"),
    "empty.jpg": (b"", "the file is empty"),
    "text.jpg": (b"a letter, not a picture", "not a picture"),
    "claims.png": (png_claiming(30_000, 30_000), "30000x30000 px is over the limit"),
    "bomb.png": (encoded(Image.new("1", (6_000, 6_000)), "PNG"), "6000x6000 px is over the limit"),
    "phone.jpg": (heic(), "cut short or damaged"),
    "script.jpg": (
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n",
        "not a pict",
    ),
    "drawing.png": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
}


def test_every_broken_file_is_set_aside_with_its_reason(curate: Curate) -> None:
    for name, (content, _) in UNREADABLE.items():
        (curate.data / "mask_old" / name).write_bytes(content)
    answer = curate("--dedupe", "--balance")
    assert answer.code == DONE
    assert f"fault: Set aside: {len(UNREADABLE)} unreadable." in answer.stderr
    reasons = curate.reasons()
    assert set(reasons) == {f"mask_old/{name}" for name in UNREADABLE}
    for name, (_, words) in UNREADABLE.items():
        assert reasons[f"mask_old/{name}"].startswith("unreadable: ")
        assert words in reasons[f"mask_old/{name}"]


def test_strict_writes_nothing_over_a_broken_file_and_keeps_the_former_result(
    curate: Curate,
) -> None:
    assert curate("--strict").code == DONE
    (curate.data / "mask_old" / "bomb.png").write_bytes(UNREADABLE["bomb.png"][0])
    former = state_of(curate.out)
    answer = curate("--strict")
    assert answer.code == STRICT
    assert "1 unreadable" in answer.stderr
    assert state_of(curate.out) == former


def odd_but_whole() -> dict[str, bytes]:
    deep = Image.fromarray(np.asarray(picture(20).convert("L")).astype(np.uint16) * 257)
    alpha = picture(21).convert("RGBA")
    alpha.putalpha(128)
    frames = {"save_all": True, "append_images": [picture(99)], "duration": 40}
    return {
        "cmyk.jpg": encoded(picture(22).convert("CMYK"), "JPEG"),
        "deep.png": encoded(deep, "PNG"),
        "alpha.png": encoded(alpha, "PNG"),
        "palette.png": encoded(picture(23).quantize(64), "PNG", transparency=3),
        "animated.webp": encoded(picture(24), "WEBP", **frames),
        "animated.png": encoded(picture(25), "PNG", **frames),
        "pages.TIFF": encoded(picture(26), "TIFF", compression="tiff_lzw", **frames),
        "bitmap.bmp": encoded(picture(27), "BMP"),
        "grey.jpeg": encoded(picture(28).convert("L"), "JPEG"),
        "a jpeg.png": encode_jpeg(draw_noise(29)),
        "moving.gif": encoded(picture(30), "GIF", **frames),
        "small.avif": encoded(picture(31), "AVIF", quality=90),
        "two.mpo": encoded(picture(32), "MPO", **frames),
        "no suffix": encode_jpeg(draw_noise(33)),
    }


def test_odd_kinds_of_pictures_show_what_they_showed(curate: Curate) -> None:
    files = odd_but_whole()
    for name, content in files.items():
        (curate.data / "nomask_old" / name).write_bytes(content)
    assert curate("--dedupe", "--balance", "--expand", "14").code == DONE
    rows = curate.plan()
    for name, content in files.items():
        row = rows[f"nomask_old/{name}"]
        assert (row["kept"], row["reason"]) == ("1", "")
        copy = read_image(curate.out / row["split"] / (row["written"] or row["path"]))
        if name in ("cmyk.jpg", "animated.webp", "small.avif"):  # encoded anew, with loss
            assert np.abs(copy.astype(int) - decode_image(content)).mean() < 3, name
        else:
            assert np.array_equal(copy, decode_image(content)), name


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "TIFF"])
def test_of_several_frames_the_first_is_the_photo(kind: str) -> None:
    data = encoded(picture(1), kind, save_all=True, append_images=[picture(2)], lossless=True)
    assert np.array_equal(decode_image(data), draw_noise(1))


@pytest.mark.parametrize(("kind", "value"), [(3, 8), (7, 8), (3, 99), (3, 0)])
def test_scan_and_decoder_agree_on_an_orientation_that_is_none(
    tmp_path: Path, kind: int, value: int
) -> None:
    """Kind 7 is "undefined": Pillow gives bytes, which are no number to turn a picture by."""
    drawn = encoded(picture().resize((40, 60)), "TIFF", tiffinfo={0x0112: 6})
    field = struct.pack("<HHIH", 0x0112, 3, 1, 6)
    assert drawn.count(field) == 1
    data = drawn.replace(field, struct.pack("<HHIH", 0x0112, kind, 1, value))
    (tmp_path / "a.tif").write_bytes(data)
    file_scan = scan_file(tmp_path / "a.tif", "a.tif")
    assert file_scan.fault is None
    assert (file_scan.height, file_scan.width) == decode_image(data).shape[:2]
    assert (file_scan.width < file_scan.height) is ((kind, value) != (3, 8))


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_of_300_broken_pictures_each_is_read_or_refused_and_scan_and_decoder_agree(
    tmp_path: Path,
) -> None:
    refused, path = 0, tmp_path / "picture.jpg"
    for number in range(300):
        made, data = break_picture(5, number)
        path.write_bytes(data)
        file_scan = scan_file(path, "picture")
        try:
            pixels = decode_image(data)
        except UnreadableImageError:
            refused += 1
            assert file_scan.fault, f"{number}: {made}"
        else:
            assert pixels.ndim == 3, f"{number}: {made}"
            assert (file_scan.height, file_scan.width) == pixels.shape[:2], f"{number}: {made}"
            assert file_scan.fault is None, f"{number}: {made}"
    assert 100 < refused < 270


def test_no_decoder_speaks_for_itself(data: Path, tmp_path: Path) -> None:
    """Its words would tear the progress bar, and tell nobody which file they are about."""
    compressed = encoded(picture(), "TIFF", compression="tiff_lzw")
    (data / "mask_old" / "lzw.tif").write_bytes(compressed[:80] + b"\xff" * 400 + compressed[480:])
    exif = Image.Exif()
    exif[0x010E] = "described at some length"
    turned = encoded(picture(9), "JPEG", exif=exif)
    at = turned.index(b"Exif\0\0")
    (data / "mask_old" / "exif.jpg").write_bytes(turned[: at + 16] + b"\x09" + turned[at + 17 :])
    answer = run_curate(data, tmp_path / "out")
    lines = answer.stderr.splitlines()
    assert answer.returncode == DONE
    assert any("1 unreadable" in line for line in lines)
    assert all(line.startswith(("note: ", "fault: ")) for line in lines), answer.stderr


# --- things that are no plain files ------------------------------------------------------------


def test_what_is_no_picture_file_is_left_alone_and_told(curate: Curate) -> None:
    folder = curate.data / "mask_old"
    (folder / "phone.jxl").write_bytes(b"\xff\x0a")
    (folder / "raw.NEF").write_bytes(encoded(picture(), "TIFF"))
    (folder / "letter").write_bytes(b"Dear")
    (folder / "inner").mkdir()
    (folder / "inner" / "x.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    os.mkfifo(folder / "pipe.jpg")
    (folder / "nowhere.jpg").symlink_to(curate.data / "gone.jpg")
    (folder / ".hidden.jpg").write_bytes(b"")
    (folder / "Thumbs.db").write_bytes(b"")
    answer = curate("--dry-run")
    assert answer.code == DONE
    assert "note: 3 entries in the class folders were not read: " in answer.stderr
    assert "mask_old/letter, mask_old/nowhere.jpg, mask_old/pipe.jpg." in answer.stderr
    assert "fault: Set aside: 3 unreadable" in answer.stderr
    assert curate("--strict").code == STRICT
    assert curate().code == DONE
    aside = {path: row["reason"] for path, row in curate.plan().items() if row["kept"] == "0"}
    assert aside == {
        "mask_old/phone.jxl": "unreadable: JXL is not read; save it as JPEG",
        "mask_old/raw.NEF": "unreadable: NEF is not read; save it as JPEG",
        "mask_old/inner/x.jpg": "unreadable: it lies in a subfolder of mask_old; move it up into "
        "mask_old, or make a dataset of all with `collector import`",
    }
    assert not list(curate.out.rglob("x.jpg"))


def test_a_class_of_photos_that_are_not_read_is_not_called_empty(curate: Curate) -> None:
    folder = curate.data / "mask_old"
    for path in folder.iterdir():
        path.rename(path.with_suffix(".JXL"))
    answer = curate()
    assert answer.code == DATASET
    assert "JXL is not read; save it as JPEG" in answer.stderr
    assert "empty" not in answer.stderr
    folder.rename(curate.data / "Mask_Old")
    assert "no such folder, but Mask_Old: rename it" in curate().stderr


def test_a_file_that_somebody_put_into_a_former_result_is_not_lost(curate: Curate) -> None:
    assert curate().code == DONE
    mine = curate.out / "train" / "mask_old" / "mine.jpg"
    mine.write_bytes(b"mine")
    answer = curate()
    assert answer.code == USAGE
    assert "train/mask_old/mine.jpg" in answer.stderr
    assert mine.read_bytes() == b"mine"
    mine.unlink()
    assert curate().code == DONE


def test_links_to_photos_and_class_folders_are_followed_and_copied_as_files(
    curate: Curate, tmp_path: Path
) -> None:
    (tmp_path / "camera").mkdir()
    (tmp_path / "camera" / "1.jpg").write_bytes(encode_jpeg(draw_noise(31)))
    (curate.data / "mask_old" / "linked.jpg").symlink_to(tmp_path / "camera" / "1.jpg")
    (curate.data / "nomask_old").rename(tmp_path / "elsewhere")
    (curate.data / "nomask_old").symlink_to(tmp_path / "elsewhere")
    assert curate("--strict").code == DONE
    rows = curate.plan()
    assert len(rows) == 41
    assert all(row["kept"] == "1" for row in rows.values())
    copied = curate.out / rows["mask_old/linked.jpg"]["split"] / "mask_old" / "linked.jpg"
    assert copied.read_bytes() == (tmp_path / "camera" / "1.jpg").read_bytes()
    assert not any(path.is_symlink() for path in curate.out.rglob("*"))


def test_a_result_is_not_put_into_a_class_folder_that_lies_elsewhere(
    curate: Curate, tmp_path: Path
) -> None:
    (curate.data / "nomask_old").rename(tmp_path / "elsewhere")
    (curate.data / "nomask_old").symlink_to(tmp_path / "elsewhere")
    curate.out = tmp_path / "elsewhere" / "curated"
    answer = curate()
    assert answer.code == USAGE
    assert "lie in each other" in answer.stderr


def test_links_that_lead_in_circles_are_left_alone(curate: Curate) -> None:
    (curate.data / "mask_old" / "loop.jpg").symlink_to("loop.jpg")
    (curate.data / "mask_old" / "one.jpg").symlink_to("other.jpg")
    (curate.data / "mask_old" / "other.jpg").symlink_to("one.jpg")
    (curate.data / "loop").symlink_to("loop")
    (curate.data / "mask_young" / "up").symlink_to(curate.data)
    answer = curate("--strict")
    assert answer.code == DONE, answer.stderr
    assert "4 entries in the class folders" in answer.stderr
    assert len(curate.plan()) == 40


def test_a_class_that_is_a_file_or_leads_in_a_circle_is_missing(curate: Curate) -> None:
    shutil.rmtree(curate.data / "mask_old")
    (curate.data / "mask_old").symlink_to("mask_old")
    shutil.rmtree(curate.data / "mask_young")
    (curate.data / "mask_young").write_text("a file")
    answer = curate()
    assert answer.code == DATASET
    assert "mask_old (no such folder)" in answer.stderr
    assert "mask_young (no such folder)" in answer.stderr


@pytest.mark.usefixtures("heeded_permissions")
def test_a_photo_that_may_not_be_read_is_set_aside(curate: Curate) -> None:
    path = curate.data / "mask_old" / "mask_old_000.jpg"
    path.chmod(0)
    assert curate().code == DONE
    assert curate.reasons() == {
        "mask_old/mask_old_000.jpg": "unreadable: cannot be read (Permission denied)"
    }
    (curate.data / "mask_old").chmod(0)
    try:
        answer = main([str(curate.data), "--out", str(curate.out)])
        assert answer == ENVIRONMENT
        assert "cannot be listed (Permission denied)" in curate.capsys.readouterr().err
    finally:
        (curate.data / "mask_old").chmod(0o755)


# --- names ---------------------------------------------------------------------------------------

NAMES = [
    "a b.jpg",
    " leading and trailing .jpg",
    "ümlaut 😀 名.jpg",
    "e\u0301.jpg",
    "\u00e9.jpg",
    "quote\"' `$(x)` & <b>.jpg",
    "comma,semi;tab\t.jpg",
    "line\nbreak.jpg",
    "return\rhere.jpg",
    "back\\slash.jpg",
    "[glob]*?.jpg",
    "-rf.jpg",
    "=1+1.jpg",
    "dots...jpg",
    "A.JPG",
    "a.jpg",
    "a.jpeg",
    "nul.jpg",
    "\x1b[31mred\x1b[0m.jpg",
]


def test_odd_names_come_through_every_step(curate: Curate) -> None:
    for number, name in enumerate(NAMES):
        path = curate.data / "mask_old" / name
        path.write_bytes(encode_jpeg(draw_noise(7000 + number)))
    make_old(curate.data)
    paths = {f"mask_old/{name}" for name in NAMES}
    assert curate("--dedupe", "--expand", "60").code == DONE
    rows = curate.plan()
    assert paths <= {path for path, row in rows.items() if row["kept"] == "1"}
    assert paths & {row["parent"] for row in rows.values()}
    found = {
        photo.path.name for split in SPLITS for photo in read_curated(curate.out).photos(split)
    }
    assert set(NAMES) <= found
    # The cache gives the names back as they are: nothing is looked at twice.
    again = content_of(curate.out)
    assert curate("--dedupe", "--expand", "60").code == DONE
    assert content_of(curate.out) == again


def test_the_longest_names_have_variants_too(curate: Curate) -> None:
    longest = "x" * (LONGEST_NAME - 4) + ".jpg"
    twin = "x" * (LONGEST_NAME - 5) + "y.jpg"
    wide = "ü" * ((LONGEST_NAME - 4) // 2) + ".png"
    for folder in MASK_AGE.labels:
        for path in (curate.data / folder).iterdir():
            path.unlink()
        for number in range(6):
            (curate.data / folder / f"{folder} {number}.jpg").write_bytes(
                encode_jpeg(draw_noise(100 * MASK_AGE.index(folder) + number))
            )
    for number, name in enumerate((longest, twin, wide)):
        (curate.data / "mask_old" / name).write_bytes(encode_jpeg(draw_noise(7000 + number)))
    answer = curate("--expand", "60", "--ratio", ".6", ".2", ".2")
    assert answer.code == DONE, answer.stderr
    rows = curate.plan()
    variants = [row for row in rows.values() if row["parent"]]
    assert any(len(os.fsencode(Path(row["parent"]).name)) > 250 for row in variants)
    for row in variants:
        made = Path(row["path"]).name
        assert len(os.fsencode(made)) <= LONGEST_NAME
        assert "__aug" in made
        assert read_image(curate.out / "train" / row["path"]).shape == (96, 96, 3)
    assert len({path.casefold() for path in rows}) == len(rows)


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_names_that_are_not_utf_8_are_left_alone_and_told(curate: Curate) -> None:
    for name in (b"caf\xe9.jpg", b"caf\xe9.txt"):
        path = os.path.join(os.fsencode(curate.data / "mask_old"), name)  # noqa: PTH118  bytes
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(encode_jpeg(draw_noise(1)))
    with open(os.path.join(os.fsencode(curate.data), b"\xff.txt"), "wb"):  # noqa: PTH118, PTH123
        pass
    os.mkdir(os.path.join(os.fsencode(curate.data), b"h\xf6liday"))  # noqa: PTH102, PTH118
    make_old(curate.data)
    answer = curate("--dedupe", "--balance", "--json")
    assert answer.code == DONE, answer.stderr
    assert "mask_old/caf\\xe9.jpg (its name is not UTF-8)" in answer.stderr
    assert "h\\xf6liday" in answer.stderr
    assert len(curate.plan()) == 40
    assert "caf\\xe9.jpg" in (curate.out / "report.html").read_text(encoding="utf-8")
    assert curate("--dry-run").code == DONE


@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems refuse such names")
def test_a_dataset_may_bear_a_name_that_is_not_utf_8(curate: Curate, tmp_path: Path) -> None:
    bad = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    curate.data.rename(bad)
    curate.data, curate.out = bad, Path(f"{bad}-out")
    answer = run_curate(bad, curate.out)
    assert answer.returncode == DONE, answer.stderr
    assert len(curate.plan()) == 40


def test_names_that_the_terminal_cannot_show_are_shown_otherwise(
    data: Path, tmp_path: Path
) -> None:
    (data / "mask_old" / "ümlaut 😀.jpg").write_text("not a picture")
    answer = run_curate(data, tmp_path / "out", "--dry-run", PYTHONIOENCODING="ascii")
    assert answer.returncode == DONE, answer.stderr
    assert "mask_old/\\xfcmlaut \\U0001f600.jpg  unreadable" in answer.stdout


def test_a_manifest_that_leads_out_of_the_dataset_leads_nowhere(
    curate: Curate, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(encode_jpeg(draw_noise(1)))
    shutil.rmtree(curate.data)
    with PhotoStore(curate.data) as store:
        for number in range(40):
            store.add(draw_noise(number), MASK_AGE.labels[number % 4], subject=f"p{number}")
    with sqlite3.connect(manifest_path(curate.data)) as manifest:
        paths = [path for (path,) in manifest.execute("SELECT path FROM photos ORDER BY path")]
        for path, lie in zip(
            paths,
            ["../secret.jpg", "mask_old/../../secret.jpg", str(secret), "secret.jpg"],
            strict=False,
        ):
            manifest.execute("UPDATE photos SET path = ? WHERE path = ?", (lie, path))
    manifest.close()
    refused = curate("--balance")
    assert refused.code == DATASET
    assert f"collector doctor {curate.data} --fix" in refused.stderr
    assert not curate.out.exists()
    repair_dataset(curate.data)
    answer = curate("--balance")
    assert answer.code == DONE, answer.stderr
    rows = curate.plan()
    assert len([row for row in rows.values() if not row["parent"]]) == 40
    assert not any(".." in path or "secret" in path for path in rows)
    digest = hashlib.sha256(secret.read_bytes()).hexdigest()
    copied = [path for path in curate.out.rglob("*.jpg") if path.is_file()]
    assert digest not in {
        hashlib.sha256(path.read_bytes()).hexdigest() for path in copied if path.name == secret.name
    }


# --- how many ------------------------------------------------------------------------------------


def test_a_class_of_one_photo_or_of_broken_ones_says_what_is_missing(curate: Curate) -> None:
    for path in list((curate.data / "mask_old").iterdir())[1:]:
        path.unlink()
    answer = curate()
    assert answer.code == DATASET
    assert "mask_old from 1 group" in answer.stderr
    for path in (curate.data / "mask_old").iterdir():
        path.write_bytes(b"")
    answer = curate("--dedupe", "--balance")
    assert answer.code == DATASET
    assert "no usable photo of mask_old is left after unreadable files were set aside" in (
        answer.stderr
    )


def test_one_photo_in_all_and_none_say_what_is_missing(curate: Curate) -> None:
    kept = curate.data / "mask_old" / "mask_old_000.jpg"
    for path in curate.data.rglob("*.jpg"):
        if path != kept:
            path.unlink()
    answer = curate()
    assert answer.code == DATASET
    assert "no photos of mask_young (empty), nomask_old (empty), nomask_young (empty)" in (
        answer.stderr
    )
    kept.unlink()
    assert curate().code == DATASET
    shutil.rmtree(curate.data)
    curate.data.mkdir()
    answer = curate()
    assert answer.code == DATASET
    assert answer.stderr.count("no such folder") == 4
    curate.data.rmdir()
    curate.data.write_text("a file")
    answer = curate()
    assert answer.code == DATASET
    assert "No dataset at" in answer.stderr


def test_one_picture_forty_times_is_no_dataset(curate: Curate) -> None:
    first = encode_jpeg(draw_noise(1))
    for path in curate.data.rglob("*.jpg"):
        path.write_bytes(first)
    answer = curate("--dedupe")
    assert answer.code == DATASET
    assert "after pictures that lie in two classes were set aside" in answer.stderr


# --- places --------------------------------------------------------------------------------------


def test_a_place_that_cannot_be_is_told(curate: Curate, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for out, code in (
        (tmp_path / "loop", USAGE),
        (tmp_path / ("n" * 300), ENVIRONMENT),
        (tmp_path / ("n" * 250), ENVIRONMENT),
        (tmp_path / "loop" / "out", USAGE),
    ):
        curate.out = out
        before = names_in(tmp_path)
        assert main([str(curate.data), "--out", str(out)]) == code, out
        told = curate.capsys.readouterr().err
        assert "this is a bug" not in told
        assert "--out" in told or "could not be written" in told
        assert names_in(tmp_path) in (before, sorted([*before, "cache"]))


def test_a_dataset_that_cannot_be_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for data, code in (
        (tmp_path / "loop", DATASET),
        (tmp_path / "loop" / "data", DATASET),
        (tmp_path / ("n" * 300), ENVIRONMENT),
    ):
        assert main([str(data), "--out", str(tmp_path / "out")]) == code, data
        assert "this is a bug" not in capsys.readouterr().err


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """A folder that nobody may write to, root neither; skipped where none can be made."""
    bound = subprocess.run(["mount", "--bind", folder, folder], capture_output=True, text=True)
    if bound.returncode != 0:
        pytest.skip(f"nothing can be mounted here: {bound.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@contextmanager
def disk_of(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own; skipped where none can be made."""
    try:
        with small_disk(folder, megabytes) as disk:
            yield disk
    except PermissionError as fault:
        pytest.skip(f"nothing can be mounted here: {fault}")


needs_mount = pytest.mark.skipif(shutil.which("mount") is None, reason="needs mount")


@needs_mount
def test_a_dataset_that_can_only_be_read_is_enough(curate: Curate, tmp_path: Path) -> None:
    shutil.rmtree(curate.data)
    with PhotoStore(curate.data) as store:
        for number in range(40):
            store.add(draw_noise(number), MASK_AGE.labels[number % 4], subject=f"p{number}")
    with read_only(curate.data):
        assert curate("--dedupe", "--balance").code == DONE
    assert {row["kept"] for row in curate.plan().values()} == {"1"}


@needs_mount
def test_a_place_that_can_only_be_read_is_told_and_kept(curate: Curate, tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    curate.out = place / "curated"
    assert curate().code == DONE
    with read_only(place):
        answer = curate("--seed", "2")
        assert answer.code == ENVIRONMENT
        assert "could not be written (Read-only file system)" in answer.stderr


@needs_mount
def test_a_cache_that_can_only_be_read_or_is_full_costs_nothing(
    curate: Curate, cache_folder: Path
) -> None:
    cache_folder.mkdir()
    with read_only(cache_folder):
        assert curate().code == DONE
        assert names_in(cache_folder) == []
    first = content_of(curate.out)
    assert curate().code == DONE
    with read_only(cache_folder):
        (curate.data / "mask_old" / "mask_old_000.jpg").rename(
            curate.data / "mask_old" / "mask_old_zzz.jpg"
        )
        assert curate().code == DONE
        (curate.data / "mask_old" / "mask_old_zzz.jpg").rename(
            curate.data / "mask_old" / "mask_old_000.jpg"
        )
    shutil.rmtree(cache_folder)
    with disk_of(cache_folder, 1) as disk:
        (disk / "ballast").write_bytes(bytes(2**20 - 4096))
        assert curate().code == DONE
    assert content_of(curate.out) == first


@needs_mount
def test_dataset_result_and_working_folder_may_lie_on_three_disks(
    curate: Curate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with disk_of(tmp_path / "one", 8) as one, disk_of(tmp_path / "two", 8) as two:
        curate.data = Path(shutil.copytree(curate.data, one / "data"))
        monkeypatch.chdir(tmp_path)
        curate.out = Path("two") / "curated"
        for seed in ("1", "2"):
            assert curate("--seed", seed, "--balance").code == DONE
        assert len(curate.plan()) == 40
        assert names_in(two) == ["curated"]


@needs_mount
def test_a_disk_cannot_be_replaced_and_a_folder_in_it_can(curate: Curate, tmp_path: Path) -> None:
    with disk_of(tmp_path / "volume", 8) as volume:
        curate.out = volume
        answer = curate()
        assert answer.code == USAGE
        assert "a folder in it" in answer.stderr
        curate.out = volume / "curated"
        assert curate().code == DONE


@needs_mount
@pytest.mark.parametrize("free_kb", [0, 8, 60, 200, 300, 400, 480])
def test_a_full_disk_leaves_the_former_result_and_nothing_half_made(
    curate: Curate, tmp_path: Path, free_kb: int
) -> None:
    with disk_of(tmp_path / "disk", 4) as disk:
        curate.out = disk / "curated"
        assert curate("--expand", "20").code == DONE
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        (disk / "ballast").write_bytes(bytes(free - free_kb * 1024))
        former = state_of(curate.out)
        answer = curate("--expand", "30", "--seed", "2")
        assert answer.code == ENVIRONMENT, answer.stderr
        assert "could not be written (No space left on device)" in answer.stderr
        assert "untouched" in answer.stderr
        assert state_of(curate.out) == former
        (disk / "ballast").unlink()
        assert curate("--expand", "30", "--seed", "2").code == DONE


# --- others at the same time ---------------------------------------------------------------------


def after_planning(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[CurationPlan], None]
) -> None:
    """Let something happen once the photos were looked at, and before any is copied."""
    make_plan = planning.make_plan

    def make_and_meddle(*arguments: object, **options: object) -> CurationPlan:
        plan = make_plan(*arguments, **options)  # type: ignore[arg-type]
        happens(plan)
        return plan

    monkeypatch.setattr(planning, "make_plan", make_and_meddle)


def change(path: Path) -> None:
    path.write_bytes(encode_jpeg(draw_noise(4711)))


def spoil(path: Path) -> None:
    path.write_bytes(b"hello")


def remove(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def lead_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


MEDDLING: dict[Callable[[Path], None], str] = {
    change: "changed while",
    spoil: "changed while",
    remove: "missing since",
    make_folder: "missing since",
    lead_nowhere: "missing since",
}


@pytest.mark.parametrize("meddle", MEDDLING)
def test_a_photo_that_changes_while_it_is_curated_stops_it(
    curate: Curate, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Path], None]
) -> None:
    assert curate().code == DONE
    former = state_of(curate.out)
    after_planning(monkeypatch, lambda plan: meddle(plan.root / plan.kept[3].path))
    assert main([str(curate.data), "--out", str(curate.out)]) == DATASET
    told = curate.capsys.readouterr().err
    assert MEDDLING[meddle] in told
    assert "Curate again" in told
    assert state_of(curate.out) == former
    assert left_overs(curate.out) == []
    monkeypatch.undo()


def test_a_parent_that_breaks_before_its_variants_are_made_stops_it(
    curate: Curate, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_variants = materialise._write_variants

    def spoil_and_write(plan: CurationPlan, *rest: Any) -> None:
        spoil(plan.root / (plan.variants[-1].parent or ""))
        write_variants(plan, *rest)

    monkeypatch.setattr(materialise, "_write_variants", spoil_and_write)
    assert main([str(curate.data), "--out", str(curate.out), "--expand", "30"]) == DATASET
    assert "not a picture" in curate.capsys.readouterr().err
    assert not curate.out.exists()
    assert left_overs(curate.out) == []


@pytest.mark.parametrize("meddle", [remove, make_folder, lead_nowhere])
def test_a_photo_that_vanishes_before_it_is_looked_at_is_set_aside(
    curate: Curate, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Path], None]
) -> None:
    def read_and_meddle(root: Path) -> LabelledDataset:
        dataset = read_dataset(root)
        meddle(root / "mask_old" / "mask_old_003.jpg")
        return dataset

    monkeypatch.setattr(planning, "read_dataset", read_and_meddle)
    assert main([str(curate.data), "--out", str(curate.out), "--dedupe"]) == DONE
    assert curate.reasons()["mask_old/mask_old_003.jpg"].startswith("unreadable: cannot be read (")


def test_a_photo_that_vanishes_before_it_is_compared_stops_it(
    curate: Curate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two classes that show one picture are compared by their pixels, so read once more."""
    twin = curate.data / "nomask_old" / "twin.png"
    pixels = read_image(curate.data / "mask_old" / "mask_old_000.jpg")
    twin.write_bytes(encoded(Image.fromarray(pixels), "PNG"))

    def find_and_meddle(
        scans: Sequence[PhotoScan], alike: LookAlikes, read: Callable[[PhotoScan], bytes]
    ) -> list[LabelConflict]:
        twin.unlink()
        return find_label_conflicts(scans, alike, read)

    monkeypatch.setattr(planning, "find_label_conflicts", find_and_meddle)
    code = main([str(curate.data), "--out", str(curate.out)])
    told = curate.capsys.readouterr().err
    assert "this is a bug" not in told
    assert code == DATASET
    assert "nomask_old/twin.png" in told
    assert not curate.out.exists()


def run_curate(
    data: Path, out: Path, *words: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own."""
    return subprocess.run(
        command(data, out, *words),
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"} | variables,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
    )


def command(data: Path, out: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "curation.cli", str(data), "--out", str(out), *words]


@pytest.mark.slow
def test_two_runs_into_one_place_leave_one_of_their_results(curate: Curate) -> None:
    wholes = []
    for seed in ("1", "2"):
        assert curate("--seed", seed, "--expand", "20").code == DONE
        wholes.append(content_of(curate.out))
    assert wholes[0] != wholes[1]
    for is_new in (True, False):
        if is_new:
            shutil.rmtree(curate.out)
        runs = [
            subprocess.Popen(
                command(curate.data, curate.out, "--seed", seed, "--expand", "20"),
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for seed in ("1", "2")
        ]
        told = [run.communicate(timeout=120)[1] for run in runs]
        codes = [run.returncode for run in runs]
        assert DONE in codes, told
        assert set(codes) <= {DONE, ENVIRONMENT}, told
        assert not any("this is a bug" in words for words in told)
        assert content_of(curate.out) in wholes
        assert left_overs(curate.out) == []


@pytest.mark.slow
def test_a_killed_run_leaves_one_whole_result_and_the_next_clears_up(curate: Curate) -> None:
    former, new = curate_twice(curate)
    found = []
    for wait_s in (0.0, 0.05, 0.15, 0.3, 0.5):
        run = subprocess.Popen(
            command(curate.data, curate.out, *NEW),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while run.poll() is None and not left_overs(curate.out):
            time.sleep(0.002)
        time.sleep(wait_s)
        run.send_signal(signal.SIGKILL)
        run.wait()
        found.append(content_of(curate.out))
    assert all(content in (former, new) for content in found)
    assert former in found
    assert left_overs(curate.out) != [] or new in found
    assert curate(*NEW).code == DONE
    assert content_of(curate.out) == new


# System calls that a run makes on its way into its place: which, and whose result is there then.
MOMENTS = [
    ("rename", 20, "former"),
    ("sync", 1, "former"),
    ("renameat2", 1, "former"),
    ("fsync", 1, "new"),
    ("unlinkat", 30, "new"),
    ("rmdir", 1, "new"),
]


@pytest.mark.slow
def test_a_run_killed_at_each_step_of_the_change_leaves_one_whole_result(
    curate: Curate, tmp_path: Path
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    wholes = dict(zip(("former", "new"), curate_twice(curate), strict=True))
    template = shutil.copytree(curate.out, tmp_path / "template")
    for name, occurrence, expected in MOMENTS:
        shutil.rmtree(curate.out)
        shutil.copytree(template, curate.out)
        options = ["-f", "-o", os.devnull, "-e", f"trace={name}"]
        kill = f"inject={name}:signal=SIGKILL:when={occurrence}"
        traced = subprocess.run(
            [strace, *options, "-e", kill, *command(curate.data, curate.out, *NEW)],
            cwd=ROOT,
            capture_output=True,
        )
        if b"ptrace" in traced.stderr:
            pytest.skip(f"nothing can be traced here: {traced.stderr!r}")
        assert traced.returncode != DONE, (name, occurrence)
        assert left_overs(curate.out) != [], (name, occurrence)
        assert content_of(curate.out) == wholes[expected], (name, occurrence)
        assert curate(*NEW).code == DONE
        assert content_of(curate.out) == wholes["new"]


FORMER: Sequence[str] = ("--seed", "1")
NEW: Sequence[str] = ("--seed", "2", "--expand", "20")


def curate_twice(curate: Curate) -> tuple[State, State]:
    """What the second run makes, and the first, whose result is there then."""
    assert curate(*NEW).code == DONE
    new = content_of(curate.out)
    assert curate(*FORMER).code == DONE
    return content_of(curate.out), new


def test_thumbnails_of_a_network_disk_are_passed_over(curate: Curate) -> None:
    """Synology keeps @eaDir/NAME.jpg/SYNOPHOTO_THUMB_*.jpg beside every photo."""
    assert curate("--dedupe").code == DONE
    before = (curate.out / "plan.csv").read_text()
    for path in list(curate.data.glob("*/*.jpg")):
        folder = path.parent / "@eaDir" / path.name
        folder.mkdir(parents=True)
        (folder / "SYNOPHOTO_THUMB_M.jpg").write_bytes(encode_jpeg(draw_noise(3, 64)))
        (path.parent / f"._{path.name}").write_bytes(b"x")
    (curate.data / "__MACOSX").mkdir()
    (curate.data / "__MACOSX" / "a.jpg").write_bytes(encode_jpeg(draw_noise(4)))
    (curate.data / "mask_old" / "desktop.ini").write_bytes(b"x")
    answer = curate("--dedupe", "--strict")
    assert answer.code == DONE, answer.stderr
    assert (curate.out / "plan.csv").read_text() == before
    assert "eaDir" not in answer.stderr
    assert "MACOSX" not in answer.stderr
    # The disk makes them for the result too.
    thumbnail = curate.out / "train" / "mask_old" / "@eaDir" / "x.jpg" / "SYNOPHOTO_THUMB_M.jpg"
    thumbnail.parent.mkdir(parents=True)
    thumbnail.write_bytes(encode_jpeg(draw_noise(3, 64)))
    assert curate("--dedupe").code == DONE


def test_a_photo_in_a_subfolder_whose_name_is_not_utf8_is_told_too(curate: Curate) -> None:
    folder = curate.data / "mask_old" / "anna"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    bad = os.path.join(os.fsencode(folder), b"caf\xe9.jpg")  # noqa: PTH118
    with open(bad, "wb") as file:  # noqa: PTH123
        file.write(encode_jpeg(draw_noise(2)))
    answer = curate()
    assert "mask_old/anna/caf\\xe9.jpg (its name is not UTF-8)" in answer.stderr
    assert list(curate.reasons()) == ["mask_old/anna/a.jpg"]


def test_a_scan_of_an_earlier_version_that_read_less_is_not_believed(curate: Curate) -> None:
    path = curate.data / "mask_old" / "moving.gif"
    path.write_bytes(encoded(picture(77), "GIF"))
    os.utime(path, (1, 1))
    assert curate().code == DONE
    with sqlite3.connect(scan_cache_path(curate.data)) as connection:
        connection.execute("UPDATE sights SET look = '1', fault = 'not a picture'")
    connection.close()
    assert curate("--strict").code == DONE


def test_a_name_that_the_disk_of_the_result_does_not_take_is_named(
    curate: Curate, monkeypatch: pytest.MonkeyPatch
) -> None:
    (curate.data / "mask_old" / "at 10:00.jpg").write_bytes(encode_jpeg(draw_noise(7)))
    touch = Path.touch

    def touch_as_on_exfat(path: Path, mode: int = 0o666, exist_ok: bool = True) -> None:
        if ":" in path.name:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", str(path))
        touch(path, mode, exist_ok)

    monkeypatch.setattr(Path, "touch", touch_as_on_exfat)
    answer = curate()
    assert answer.code == ENVIRONMENT
    told = " ".join(answer.stderr.split())
    assert "mask_old/at 10:00.jpg: the disk of --out does not take this name" in told
    assert not curate.out.exists()
