"""The classes of a set and of a run: their own file, the four, or a stranger's folders."""

from pathlib import Path

import pytest

from detector.cli import main as detector
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.errors import DatasetError, ModelRefusedError
from maskage.formats.bundle import ModelBundle, describe_file, load_bundle, write_bundle
from maskage.formats.classes.classes_file import LARGEST_CLASSES, format_scheme
from maskage.formats.curated.curated_set import read_contents, read_curated, scheme_of_set
from maskage.formats.curated.curation_file import CurationRecord, write_curation
from maskage.formats.run.run_folder import RunFolder
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise
from tests.maskage.formats.test_any_scheme import fill_set

FIXTURES = Path(__file__).parent / "fixtures"


def test_a_set_with_the_file_has_its_classes_in_its_order(tmp_path: Path) -> None:
    scheme = READY_MADE["mask-state"]
    fill_set(tmp_path, scheme.labels)
    (tmp_path / "classes.toml").write_text(format_scheme(scheme))
    assert scheme_of_set(tmp_path) == scheme
    assert read_curated(tmp_path).scheme.labels == ("worn", "misworn", "none")


def test_a_set_of_an_earlier_version_has_the_four(tmp_path: Path) -> None:
    fill_set(tmp_path, MASK_AGE.labels)
    assert scheme_of_set(tmp_path) is MASK_AGE
    # A folder beside them is no fifth class.
    (tmp_path / "train" / "more").mkdir()
    assert scheme_of_set(tmp_path) is MASK_AGE


def test_a_set_with_some_of_the_four_has_the_four_and_says_what_is_missing(tmp_path: Path) -> None:
    fill_set(tmp_path, ["mask_old", "cat"])
    assert scheme_of_set(tmp_path) is MASK_AGE
    with pytest.raises(DatasetError, match="mask_young: no such folder"):
        read_curated(tmp_path)


def test_a_strangers_set_has_the_folders_of_train(tmp_path: Path) -> None:
    fill_set(tmp_path, ["with_mask", "without_mask"])
    (tmp_path / "train" / ".cache").mkdir()
    (tmp_path / "train" / "list.txt").write_text("mine")
    assert scheme_of_set(tmp_path) == plain_scheme(["with_mask", "without_mask"])
    assert read_curated(tmp_path).scheme["with_mask"].title == "with mask"


def test_a_strangers_set_with_the_folders_of_a_ready_made_scheme_has_its_factors(
    tmp_path: Path,
) -> None:
    for label in ("none", "worn", "misworn"):
        (tmp_path / "train" / label).mkdir(parents=True)
    assert scheme_of_set(tmp_path) == READY_MADE["mask-state"]


@pytest.mark.parametrize("folders", [(), ("one",), tuple(f"c{n}" for n in range(65))])
def test_folders_that_cannot_be_classes_are_refused_with_a_way_on(
    tmp_path: Path, folders: tuple[str, ...]
) -> None:
    fill_set(tmp_path, folders)
    if not folders:
        assert scheme_of_set(tmp_path) is MASK_AGE
        return
    with pytest.raises(DatasetError, match="its folders cannot be classes") as fault:
        scheme_of_set(tmp_path)
    assert "classes.toml" in str(fault.value)


def test_a_set_with_a_damaged_file_is_no_set_for_a_training_but_is_searched(tmp_path: Path) -> None:
    fill_set(tmp_path, ["cat", "dog"])
    digest = read_contents(tmp_path).digest
    (tmp_path / "classes.toml").write_text("[[class")
    with pytest.raises(DatasetError, match="not TOML"):
        read_curated(tmp_path)
    assert read_contents(tmp_path).labels == ("cat", "dog")
    assert read_contents(tmp_path).digest == digest


def test_a_record_with_other_classes_than_the_file_is_refused(tmp_path: Path) -> None:
    fill_set(tmp_path, ["cat", "dog"])
    write_curation(tmp_path, CurationRecord(tmp_path, "1", ("dog", "cat"), 7, {}, ()), tmp_path)
    assert read_curated(tmp_path).scheme.labels == ("cat", "dog")
    write_curation(tmp_path, CurationRecord(tmp_path, "1", ("dog", "newt"), 7, {}, ()), tmp_path)
    with pytest.raises(DatasetError, match="its classes are dog, newt, not cat, dog"):
        read_curated(tmp_path)


def test_runs_and_sets_of_earlier_versions_have_the_four() -> None:
    assert RunFolder(FIXTURES / "run_first").scheme is MASK_AGE
    assert RunFolder(FIXTURES / "run_with_caches").scheme is MASK_AGE
    assert scheme_of_set(FIXTURES / "set_1") is MASK_AGE
    assert read_contents(FIXTURES / "set_before_record").labels == MASK_AGE.labels


def make_bundle(folder: Path, classes: bytes) -> Path:
    """A bundle whose classes.toml was replaced together with all digests, as a stranger can."""
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"model")
    files = {"model.onnx": describe_file(folder / "model.onnx")}
    row = (1.0, 0.0)
    scheme = plain_scheme(["cat", "dog"])
    bundle = ModelBundle(
        folder, scheme, 64, 0.3, 1.0, 0.5, "0" * 64, {}, {}, files, (row, row, row)
    )
    write_bundle(bundle)
    assert load_bundle(folder).scheme == scheme
    old = describe_file(folder / "classes.toml")
    (folder / "classes.toml").write_bytes(classes)
    new = describe_file(folder / "classes.toml")
    for name in ("bundle.json", "SHA256SUMS"):
        before = describe_file(folder / "bundle.json")
        text = (folder / name).read_text().replace(old.sha256, new.sha256)
        text = text.replace(f'"size": {old.size}', f'"size": {new.size}')
        (folder / name).write_text(text)
        if name == "bundle.json":
            sums = (folder / "SHA256SUMS").read_text()
            after = describe_file(folder / "bundle.json")
            (folder / "SHA256SUMS").write_text(sums.replace(before.sha256, after.sha256))
    return folder


ROWS = '[[class]]\nfolder = "{}"\n[[class]]\nfolder = "dog"\n'
HOSTILE = {
    "other classes": (ROWS.format("newt"), "its classes are"),
    "another order": ('[[class]]\nfolder = "dog"\n[[class]]\nfolder = "cat"\n', "its classes are"),
    "a title that moves the cursor": (
        ROWS.format('cat"\ntitle = "\\u001b[2Jx'),
        r"cannot be shown: U\+001B",
    ),
    "a title that turns the line": (
        ROWS.format('cat"\ntitle = "\\u202Etac'),
        r"cannot be shown: U\+202E",
    ),
    "a way out": (ROWS.format("../cat"), "no name of a folder"),
    "no TOML": ("[[class", "it is not TOML"),
    "a large file": ("#" * (LARGEST_CLASSES + 1), "bytes"),
}


@pytest.mark.parametrize("what", list(HOSTILE))
def test_a_bundle_with_bad_classes_is_refused(tmp_path: Path, what: str) -> None:
    classes, said = HOSTILE[what]
    folder = make_bundle(tmp_path / "bundle", classes.encode())
    with pytest.raises(ModelRefusedError, match=said):
        load_bundle(folder)


def test_a_command_refuses_such_a_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes, _ = HOSTILE["a title that moves the cursor"]
    folder = make_bundle(tmp_path / "bundle", classes.encode())
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(draw_noise(1)))
    assert detector(["run", str(tmp_path / "a.jpg"), "--model", str(folder)]) == 6
    assert "cannot be shown: U+001B" in " ".join(capsys.readouterr().err.split())


def test_a_bundle_of_another_version_has_the_four(tmp_path: Path) -> None:
    for version in (1, 2):
        folder = tmp_path / f"bundle_{version}"
        folder.mkdir()
        for path in (FIXTURES / f"bundle_{version}").iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / "model.onnx").write_bytes(b"model\n")
        assert load_bundle(folder).scheme is MASK_AGE
