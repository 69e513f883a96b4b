"""`curate` with each way of balancing, checking and working, run as a user would."""

import csv
import json
import shlex
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from curation.build import verify
from curation.cli import CURATE, main
from curation.options import settings_of
from curation.plan.planning import make_plan
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.edits import confirming
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.curated.class_weights import read_class_weights
from maskage.formats.curated.curated_set import SPLITS, read_curated
from maskage.pictures.images import encode_jpeg
from maskage.records import RgbImage
from tests.conftest import draw_noise
from trainer.data.dataset import read_training_photos

MakeFolders = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKAGE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def uneven(four_folders: MakeFolders) -> Path:
    """Twenty photos in three classes and forty in one."""
    source = four_folders(20)
    for number in range(20):
        path = source / "mask_young" / f"more_{number:02d}.jpg"
        path.write_bytes(encode_jpeg(draw_noise(8000 + number)))
    return source


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "plan.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def train_counts(out: Path) -> Counter[str]:
    return Counter(row["label"] for row in rows_of(out) if row["split"] == "train")


def test_drop_thins_the_larger_classes_of_train_alone(uneven: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([str(uneven), "--balance", "drop", "--out", str(out)]) == 0
    assert set(train_counts(out).values()) == {16}
    rows = rows_of(out)
    surplus = [row for row in rows if row["reason"].startswith("surplus: ")]
    assert {(row["label"], row["kept"], row["split"]) for row in surplus} == {
        ("mask_young", "0", "")
    }
    assert len(surplus) == 16
    assert not any(row["parent"] for row in rows)
    counts = Counter((p.label, split) for split in SPLITS for p in read_curated(out).photos(split))
    assert counts["mask_young", "val"] == counts["mask_young", "test"] == 4
    assert "16 photos of the larger classes" in (out / "report.html").read_text()


def test_weights_leave_the_photos_alone_and_the_trainer_counts_by_them(
    uneven: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main([str(uneven), "--balance=weights", "--out", str(out)]) == 0
    assert train_counts(out)["mask_young"] == 32
    weights = read_class_weights(out, MASK_AGE.labels)
    assert weights is not None
    assert weights["mask_old"] == pytest.approx(2 * weights["mask_young"], abs=1e-4)
    assert read_training_photos(out).class_weights.tolist() == pytest.approx(
        [weights[label] for label in MASK_AGE.labels]
    )
    told = dict.fromkeys(MASK_AGE.labels, 1.0) | {"nomask_old": 3.5}
    (out / "class_weights.json").write_text(json.dumps(told))
    assert read_training_photos(out).class_weights.tolist() == [1, 1, 3.5, 1]
    # And a result with weights is replaced by one without.
    assert main([str(uneven), "--out", str(out)]) == 0
    assert read_class_weights(out, MASK_AGE.labels) is None


def test_weights_count_what_lies_in_train_variants_too(uneven: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main([str(uneven), "--balance", "weights", "--expand", "40", "--out", str(out)]) == 0
    assert set(train_counts(out).values()) == {40}
    assert set((read_class_weights(out, MASK_AGE.labels) or {}).values()) == {1.0}


def test_augment_is_meant_where_no_way_is_named_and_a_folder_may_follow(
    uneven: Path, tmp_path: Path
) -> None:
    for number, words in enumerate(
        (["--balance", str(uneven)], [str(uneven), "--balance", "augment"], ["--balance=augment"])
    ):
        out = tmp_path / str(number)
        given = words if str(uneven) in words else [str(uneven), *words]
        assert main([*given, "--out", str(out)]) == 0
        assert set(train_counts(out).values()) == {32}


def test_expand_grows_every_class_of_train_as_far_as_its_photos_carry(
    uneven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(uneven), "--expand", "50", "--out", str(out)]) == 0
    assert set(train_counts(out).values()) == {50}
    capsys.readouterr()
    few = ["--expand", "50", "--max-variants", "1", "--out", str(out)]
    assert main([str(uneven), *few]) == 0
    assert sorted(train_counts(out).values()) == [32, 32, 32, 50]
    assert "mask_old has 16 photos in train and got 16 variants, at most 1 of each" in (
        capsys.readouterr().err
    )


def test_the_command_in_the_report_makes_the_same_again(uneven: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "out", tmp_path / "again"
    words = ["--dedupe", "--expand", "20", "--max-variants", "3", "--ratio", ".6", ".2", ".2"]
    words += ["--seed", "5", "--radius", "2", "--min-side", "60", "--allow", "blurred,no-face"]
    assert main([str(uneven), *words, "--out", str(out)]) == 0
    page = (out / "report.html").read_text()
    command = shlex.split(page.split("<pre>")[1].split("</pre>")[0])
    assert command[0] == "curate"
    command[command.index("--out") + 1] = str(again)
    assert main(command[1:]) == 0
    assert (again / "plan.csv").read_bytes() == (out / "plan.csv").read_bytes()


def test_flawed_photos_go_with_their_reason_and_stay_where_that_is_allowed(
    uneven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flat: RgbImage = np.full((90, 90, 3), 120, np.uint8)
    flat[40:50] = 128
    pictures = {
        "blurred.jpg": flat,
        "dark.jpg": draw_noise(1) // 8,
        "thin.jpg": draw_noise(2, 200)[:, :90],
        "tiny.png": draw_noise(3, 30),
    }
    for name, pixels in pictures.items():
        (uneven / "mask_young" / name).write_bytes(encode_jpeg(pixels))
    out = tmp_path / "out"
    assert main([str(uneven), "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert "1 tiny, 1 odd aspect, 1 dark, 1 blurred" in told
    assert "--allow tiny,odd-aspect,dark,blurred" in told
    aside = {Path(row["path"]).name: row["reason"] for row in rows_of(out) if row["kept"] == "0"}
    assert aside["thin.jpg"] == "odd aspect: 90x200 px, over 2 to 1"
    assert {name: reason.partition(":")[0] for name, reason in aside.items()} == {
        "blurred.jpg": "blurred",
        "dark.jpg": "dark",
        "thin.jpg": "odd aspect",
        "tiny.png": "tiny",
    }
    page = (out / "report.html").read_text()
    assert "<h3>1 odd aspect</h3>" in page
    allowed = ["--allow", "odd-aspect,dark", "--min-side", "20", "--min-sharpness", "0"]
    assert main([str(uneven), *allowed, "--out", str(out)]) == 0
    assert [row for row in rows_of(out) if row["kept"] == "0"] == []


def test_a_class_that_the_checks_emptied_is_named_with_the_way_out(
    uneven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (uneven / "mask_old").iterdir():
        path.write_bytes(encode_jpeg(draw_noise(1, 20)))
    assert main([str(uneven), "--out", str(tmp_path / "out")]) == 4
    told = capsys.readouterr().err
    assert "no usable photo of mask_old" in told
    assert "20 tiny" in told
    assert "--allow" in told


def test_a_photo_that_changes_meanwhile_stops_the_run(
    uneven: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    assert main([str(uneven), "--out", str(out)]) == 0
    before = (out / "plan.csv").read_bytes()
    real = verify._require_planned_files

    def spoil_one(plan: object, result: Path) -> None:
        next((result / "train" / "mask_old").iterdir()).write_bytes(b"other")
        real(plan, result)  # type: ignore[arg-type]

    monkeypatch.setattr(verify, "_require_planned_files", spoil_one)
    assert main([str(uneven), "--seed", "2", "--out", str(out)]) == 4
    assert "changed while it was curated" in capsys.readouterr().err
    assert (out / "plan.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--balance=even"], "'even' is not one of augment, drop, weights"),
        (["--balance", "weight"], "Did you mean weights?"),
        (["--min-brightness", "300"], "both 0 to 255"),
        (["--expand", "0"], "--expand must be a number of photos"),
        (["--expand", "9", "--balance", "drop"], "Choose one"),
        (["--paint-masks", "1.5"], "'1.5' is no share of the bare faces"),
        (["--paint-masks=all"], "'all' is no share of the bare faces"),
        (
            ["--paint-masks", "--balance=drop", "--face-model", __file__],
            "makes them larger unevenly",
        ),
        (["--max-variants", "0"], "--max-variants must be 1 or more"),
        (["--allow", "ugly"], "No check is named ugly"),
        (["--workers", "0"], "--workers is 1 or more"),
        (["--workers", "2", "--scheduler", "tcp://localhost:1"], "its own workers"),
    ],
)
def test_impossible_wishes_are_usage_faults(
    uneven: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert main([str(uneven), "--out", str(tmp_path / "out"), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_face_model_that_is_not_there_is_an_environment_fault(
    uneven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--find-faces", "--face-model", str(tmp_path / "none.onnx")]
    assert main([str(uneven), *words, "--out", str(tmp_path / "out")]) == 5
    assert "No face model at" in capsys.readouterr().err


def test_faces_are_found_in_photos_that_nobody_has_looked_at(shared: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    for label in MASK_AGE.labels:
        (source / label).mkdir(parents=True)
        for path in sorted((shared / "faces" / label).glob("*.jpg"))[::40][:8]:
            shutil.copy(path, source / label)
    (source / "nomask_old" / "nobody.jpg").write_bytes(encode_jpeg(draw_noise(1, 200)))
    out = tmp_path / "out"
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    assert main([str(source), "--find-faces", "--face-model", str(model), "--out", str(out)]) == 0
    aside = {row["path"]: row["reason"] for row in rows_of(out) if row["kept"] == "0"}
    assert aside["nomask_old/nobody.jpg"] == "no face: the face finder found none"
    assert "--find-faces" in (out / "report.html").read_text().split("<pre>")[1]


def way_of(row: dict[str, str]) -> str:
    """Return the way of wearing in the name of a painted photo."""
    return row["path"].rsplit("__", 1)[1].rstrip("1.jpg")


def test_masks_are_painted_on_bare_faces_of_train(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    for label in MASK_AGE.labels:
        (source / label).mkdir(parents=True)
        for path in sorted((shared / "faces" / label).glob("*.jpg"))[::20][:20]:
            shutil.copy(path, source / label)
    out = tmp_path / "out"
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    words = ["--paint-masks", "0.5", "--balance", "--face-model", str(model), "--out", str(out)]
    assert main([str(source), *words]) == 0
    told = capsys.readouterr().out
    rows = rows_of(out)
    place = {row["path"]: row for row in rows}
    painted = [row for row in rows if row["parent"] and "__aug" not in row["path"]]
    pulled = [row for row in painted if row["parent"].startswith("mask")]
    ways = Counter(way_of(row) for row in painted if row not in pulled)
    assert ways == {"nose": 7, "chin": 6, "worn": 8, "eyes": 3, "mouth": 2}
    assert Counter(way_of(row) for row in pulled) == {"nose": 5, "chin": 1, "worn": 4}
    assert "painted masks: 24 worn wrongly (no mask), 12 worn right" in told
    for row in painted:
        parent = place[row["parent"]]
        assert (row["split"], row["group"]) == ("train", parent["group"])
        assert row["label"].startswith("mask" if "__worn" in row["path"] else "nomask")
        assert row["label"].endswith(parent["label"].partition("_")[2])
        assert (out / "train" / row["path"]).is_file()
    # Variants fill up what the painted ones leave uneven, and are made from photographs.
    assert len(set(train_counts(out).values())) == 1
    varied = [row for row in rows if "__aug" in row["path"]]
    assert varied
    assert all(place[row["parent"]]["parent"] == "" for row in varied)
    options = CURATE.make_parser("curate").parse_args([str(source), *words])
    plan = make_plan(source, settings_of(options))
    cloths = Counter(
        (photo.label, photo.painting.wearing, photo.painting.lender is None)
        for photo in plan.painted
        if photo.painting and not photo.painting.is_pulled
    )
    # The kind of cloth tells neither how it is worn nor whose face it is on.
    for label, wearing, _ in cloths:
        assert abs(cloths[label, wearing, True] - cloths[label, wearing, False]) <= 1
    report = (out / "report.html").read_text()
    assert "24 masks were painted below the nose" in report
    assert "--paint-masks 0.5" in report.split("<pre>")[1]

    again = tmp_path / "again"
    assert main([str(source), *words[:-1], str(again)]) == 0
    assert (again / "plan.csv").read_bytes() == (out / "plan.csv").read_bytes()
    for row in painted:
        path = Path("train") / row["path"]
        assert (again / path).read_bytes() == (out / path).read_bytes()


def test_faces_that_get_no_mask_are_told_of(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    for label in MASK_AGE.labels:
        (source / label).mkdir(parents=True)
        for number in range(10):
            pixels = draw_noise(1000 * MASK_AGE.index(label) + number, 200)
            (source / label / f"{number}.jpg").write_bytes(encode_jpeg(pixels))
        paths = sorted((shared / "faces" / label).glob("*.jpg"))[:10]
        for path in paths if label == "nomask_old" else []:
            shutil.copy(path, source / label)
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    words = ["--paint-masks", "--face-model", str(model), "--out", str(tmp_path / "out")]
    assert main([*words, str(source)]) == 0
    told = capsys.readouterr()
    assert "bare faces of train got no mask, because their eyes, nose and mouth were" in told.err
    assert "no masked photo of train shows its mask completely" in told.err


@pytest.fixture
def masked(shared: Path, tmp_path: Path) -> Path:
    """A few real photos of each of the four classes."""
    source = tmp_path / "masked"
    for label in MASK_AGE.labels:
        (source / label).mkdir(parents=True)
        for path in sorted((shared / "faces" / label).glob("*.jpg"))[::20][:12]:
            shutil.copy(path, source / label)
    return source


@pytest.fixture
def model_at_hand(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The face model lies where the commands look for it."""
    model = shared / "weights" / "face_detection_yunet_2026may.onnx"
    monkeypatch.setenv("FACE_MODEL", str(model))


def painted_in(out: Path) -> int:
    return sum(row["parent"] != "" and "__aug" not in row["path"] for row in rows_of(out))


def test_half_of_the_faces_get_a_mask_where_the_model_is_at_hand(
    masked: Path, model_at_hand: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, asked = tmp_path / "out", tmp_path / "asked"
    assert main([str(masked), "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert "; --paint-masks 0 paints none" in told.out
    assert painted_in(out) > 5
    command = (out / "report.html").read_text().split("<pre>")[1]
    assert "--paint-masks 0.5" in command
    assert main([str(masked), "--paint-masks", "0.5", "--out", str(asked)]) == 0
    assert "paints none" not in capsys.readouterr().out
    assert (asked / "plan.csv").read_bytes() == (out / "plan.csv").read_bytes()


@pytest.mark.parametrize(
    ("words", "kept"),
    [(["--paint-masks", "0"], "--paint-masks 0"), (["--balance", "drop"], "--balance drop")],
)
def test_no_masks_are_painted_where_they_are_not_wanted(
    words: list[str],
    kept: str,
    masked: Path,
    model_at_hand: None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert main([str(masked), *words, "--out", str(out)]) == 0
    told = capsys.readouterr()
    assert painted_in(out) == 0
    assert "painted masks" not in told.out
    assert "masks were painted" not in told.err
    command = (out / "report.html").read_text().split("<pre>")[1]
    assert kept in command
    assert "--paint-masks 0.5" not in command


def test_a_suggested_command_names_only_what_was_asked(
    masked: Path, model_at_hand: None, tmp_path: Path
) -> None:
    parse = CURATE.make_parser("curate").parse_args
    for words, named in (([], []), (["--paint-masks", "1"], ["--paint-masks", "1"])):
        asked = settings_of(parse([str(masked), *words])).asked_words()
        assert asked[: len(named)] == named
        assert ("--face-model" in asked) is bool(named)


def test_without_a_face_model_it_says_that_no_masks_were_painted(
    uneven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert main([str(uneven), "--out", out]) == 0
    assert "no masks were painted, because the face model is not here" in capsys.readouterr().err
    assert main([str(uneven), "--paint-masks", "0", "--out", out]) == 0
    assert "masks were painted" not in capsys.readouterr().err


def test_classes_that_have_nothing_to_do_with_masks_get_none(
    uneven: Path, model_at_hand: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for label, name in zip(MASK_AGE.labels, "abcd", strict=True):
        (uneven / label).rename(uneven / name)
    (uneven / "manifest.csv").unlink(missing_ok=True)
    classes = [f'[[class]]\nfolder = "{name}"\n' for name in "abcd"]
    (uneven / "classes.toml").write_text("\n".join(classes))
    out = tmp_path / "out"
    assert main([str(uneven), "--out", str(out)]) == 0
    assert painted_in(out) == 0
    told = capsys.readouterr()
    assert "painted masks" not in told.out
    assert "masks were painted" not in told.err


def test_painting_needs_a_face_model(
    uneven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--face-model", str(tmp_path / "none.onnx"), "--out", str(tmp_path / "out")]
    assert main([*words, "--paint-masks", str(uneven)]) == 5
    assert "No face model at" in capsys.readouterr().err


@pytest.fixture
def mislabelled(tmp_path: Path) -> Path:
    """Four classes, each with a pattern; one sitting of three was shot into the wrong class."""
    root = tmp_path / "data"
    with PhotoStore(root) as store:
        for place, label in enumerate(MASK_AGE.labels):
            for number in range(24):
                own = draw_noise(1000 * place + number).astype(np.uint16)
                shown = ((2 * own + 3 * draw_noise(9000 + place)) // 5).astype(np.uint8)
                is_wrong = label == "mask_old" and number >= 21
                given = "nomask_young" if is_wrong else label
                session = "wrong" if is_wrong else f"{label}{number // 3}"
                store.add(shown, given, subject=session, session=session)
    return root


def test_a_sitting_shot_into_the_wrong_class_is_flagged_and_kept(
    mislabelled: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Without the network's weights: its stand-in sees colours.
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("curation.labels.embedding.WEIGHTS_URL", "http://127.0.0.1:9/weights.h5")
    out = tmp_path / "out"
    assert main([str(mislabelled), "--check-labels", "--json", "--out", str(out)]) == 0
    told = capsys.readouterr()
    wrong = {photo.path for photo in list_photos(mislabelled) if photo.session == "wrong"}
    suspicious = json.loads(told.out)["suspicious"]
    assert {entry["path"] for entry in suspicious} == wrong
    assert {entry["suggested"] for entry in suspicious} == {"mask_old"}
    assert "by edges and colours only" in told.err
    assert "collector review" in told.err
    disputed = {photo.path for photo in list_photos(mislabelled) if photo.is_disputed}
    assert disputed == wrong
    assert all(row["kept"] == "1" for row in rows_of(out) if row["path"] in wrong)
    assert "Suspicious labels" in (out / "report.html").read_text()


def test_a_dataset_that_is_in_use_or_has_no_manifest_is_not_flagged_and_that_is_said(
    mislabelled: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("curation.labels.embedding.WEIGHTS_URL", "http://127.0.0.1:9/weights.h5")
    words = ["--check-labels", "--out", str(tmp_path / "out")]
    with PhotoStore(mislabelled):
        assert main([str(mislabelled), *words]) == 0
    assert "another program writes to the dataset" in capsys.readouterr().err
    shutil.rmtree(mislabelled / ".dataset")
    assert main([str(mislabelled), *words]) == 0
    assert "has no manifest" in capsys.readouterr().err
    assert not (mislabelled / ".dataset").exists()


def test_a_label_that_a_person_confirmed_is_not_doubtful_again(
    mislabelled: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("curation.labels.embedding.WEIGHTS_URL", "http://127.0.0.1:9/weights.h5")
    with PhotoStore(mislabelled) as store:
        wrong = [photo for photo in store.photos() if photo.session == "wrong"]
        store.apply([confirming(photo) for photo in wrong[1:]])
    words = [str(mislabelled), "--check-labels", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    answer = capsys.readouterr()
    assert "doubtful labels: 1 (kept, flagged); about 1 expected to be wrong; 2 more" in answer.out
    assert "1 label is doubtful; see the report (2 confirmed by you)" in answer.err
    assert "Confirmed by you" in (tmp_path / "out" / "report.html").read_text()
    photos = list_photos(mislabelled)
    assert [photo.path for photo in photos if photo.is_disputed] == [wrong[0].path]
    assert sum(photo.check is not None for photo in photos) == 3


def test_too_few_groups_to_check_labels_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    with PhotoStore(root) as store:
        for number in range(48):
            store.add(draw_noise(number, 60), MASK_AGE.labels[number % 4], subject=f"p{number % 2}")
    words = ["--check-labels", "--split", "random", "--out", str(tmp_path / "out")]
    assert main([str(root), *words]) == 4
    assert "Labels cannot be checked" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
