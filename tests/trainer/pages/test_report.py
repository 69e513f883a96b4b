import csv
import json
import re
import shlex
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from maskage.classes.ready_made import MASK_AGE
from maskage.formats.curated.curated_set import read_curated
from maskage.formats.run.run_folder import RunFolder
from maskage.outside_text import path_to_cell, shown_text
from maskage.pages.parts import SIDE_PX, shrink
from maskage.pictures.images import read_image, resize_square
from tests.pages import HOSTILE, Page
from trainer.cli import main
from trainer.data.augment import Augmenter, mix_seed, vary_framing
from trainer.data.dataset import read_training_photos
from trainer.data.pixels import PixelReader
from trainer.evaluation.calibration import ReliabilityBin, calibration_error, measure_reliability
from trainer.evaluation.coverage import coverage_curve
from trainer.fit.command import FIT
from trainer.pages.charts import draw_bar, draw_coverage, draw_reliability
from trainer.pages.embedded_photos import PictureShelf
from trainer.pages.report import fit_command
from trainer.pages.training_preview import preview_epochs, preview_views


@pytest.fixture(scope="module")
def page(small_run: Path) -> Page:
    return Page(small_run / "report.html")


def test_the_page_needs_nothing_but_itself(page: Page) -> None:
    assert page.outside == []
    assert set(re.findall(r"url\(([a-z]+)", page.text)) == {"data"}
    assert "<script" not in page.text
    fragments = {each[1:] for each in page.addresses if each.startswith("#")}
    assert fragments <= set(page.ids)


def test_the_page_has_every_part(page: Page) -> None:
    parts = ["classes", "matrix", "mistakes", "unsure", "parts", "sureness", "worse", "twins",
             "training", "variants", "repeat"]  # fmt: skip
    assert [name for name in page.ids if name in parts] == parts


def test_each_count_of_the_matrix_opens_as_many_photos(page: Page, small_run: Path) -> None:
    confusion = RunFolder(small_run).read_metrics()["confusion"]
    matrix = page.part("matrix")
    for row in range(4):
        for column in range(4):
            name = f"cell-{row}-{column}"
            assert (f'href="#{name}"' in matrix) == (confusion[row][column] > 0)
            if confusion[row][column]:
                cell = matrix.split(f'id="{name}"')[1].split('<div class="cell"')[0]
                assert cell.count("<figure>") == confusion[row][column]


def test_each_picture_is_in_the_page_once(page: Page) -> None:
    embedded = re.findall(r"url\((data:[^)]+)\)", page.text)
    assert len(embedded) == len(set(embedded)) > 16
    shown = Counter(re.findall(r'<i class="photo (p\d+)"', page.text))
    assert len(shown) == len(embedded)
    assert max(shown.values()) >= 2, "a photo in several parts"


def test_mistakes_stand_beside_what_spoke_for_each_class(page: Page, small_run: Path) -> None:
    lines = (small_run / "predictions.csv").read_text().splitlines()[1:]
    wrong = [line for line in lines if line.split(",")[1] != line.split(",")[2]]
    mistakes = page.part("mistakes")
    assert mistakes.count('class="triple"') == len(wrong)
    # Two maps each, told to those who see and to those who hear.
    assert mistakes.count('"what speaks for') == 4 * len(wrong)
    for line in wrong:
        assert line.split(",")[0] in mistakes


def test_what_nobody_knows_is_said_to_be_unknown(page: Page, small_run: Path) -> None:
    assert "Not known of these photos: source, subject, session, camera." in page.part("parts")
    assert "subject, session, camera" in (small_run / "model_card.md").read_text()


def test_the_metrics_hold_what_the_page_shows(small_run: Path) -> None:
    held = RunFolder(small_run).read_metrics()
    assert {each["by"] for each in held["breakdown"]} == {"size", "sharpness"}
    assert held["leak_check"] == {
        "tested": 16, "learned": 64, "radius": 8, "same_files": 0,
        "near_duplicates": held["leak_check"]["near_duplicates"],
    }  # fmt: skip
    assert held["corrupted_photos"] == 16
    assert len(held["corruptions"]) == 11
    assert held["parameters"] > 100_000
    assert held["class_counts"]["train"] == dict.fromkeys(MASK_AGE.labels, 12)
    assert {"checks", "report"} <= held["seconds"].keys()
    parts = [spent for stage, spent in held["seconds"].items() if stage != "total"]
    assert held["seconds"]["total"] == pytest.approx(sum(parts))


def test_the_card_says_what_for_and_what_not(small_run: Path) -> None:
    card = (small_run / "model_card.md").read_text()
    held = RunFolder(small_run).read_metrics()
    heads = re.findall("^## (.*)$", card, re.MULTILINE)
    assert heads == ["Intended use", "Forbidden use", "Made of", "How good", "Errors",
                     "How sure it is", "Limits", "Make it again"]  # fmt: skip
    assert f"**{held['accuracy']:.1%}** are right" in card
    assert "| mask, old | 12 | 0 | 4 | 4 |" in card
    assert f"temperature {held['temperature']:.2f}" in card
    assert "trainer fit curated --model mobilenetv2" in card
    assert str(small_run.parent) not in card
    assert "| is \\ taken for |" in card


def test_the_command_of_a_run_is_one_that_is_understood(small_run: Path) -> None:
    words = shlex.split(fit_command(RunFolder(small_run)))
    assert words[:3] == ["trainer", "fit", "curated"]
    told = FIT.make_parser("trainer fit").parse_args(words[2:])
    # Its own name is taken.
    assert not hasattr(told, "name")
    assert (told.epochs, told.fine_tune_epochs, told.alpha) == (60, 1, 0.35)
    assert (told.model, told.seed, told.weights) == ("mobilenetv2", 1337, "small.weights.h5")
    assert "hardware" not in " ".join(words)


def test_any_four_folders_get_the_same_page_without_training(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "facts.csv"
    rows = [f"{label}/{at:03d}.jpg,{'web' if at % 2 else 'book'}" for label in MASK_AGE.labels
            for at in range(4)]  # fmt: skip
    table.write_text("path,source\n" + "\n".join(rows) + "\n")
    file = tmp_path / "pages" / "page.html"
    words = ["--data", str(curated / "test"), "--metadata", str(table), "--report", str(file)]
    assert main(["evaluate", str(small_run), *words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (by_source,) = [each for each in told["breakdown"] if each["by"] == "source"]
    assert [(part["value"], part["photos"]) for part in by_source["parts"]] == [
        ("book", 8), ("web", 8)
    ]  # fmt: skip
    page = Page(file)
    assert "training" not in page.ids
    assert '<th scope="row">book</th>' in page.part("parts")
    assert told["leak_check"]["learned"] == 64


def test_hostile_names_are_harmless_in_every_part_of_a_page(
    small_run: Path, curated: Path, tmp_path: Path
) -> None:
    photos = Path(shutil.copytree(curated / "test", tmp_path / "photos"))
    name = HOSTILE.replace("/", "-")
    for label in MASK_AGE.labels:
        for photo in sorted((photos / label).iterdir()):
            photo.rename(photo.with_name(f"{photo.stem} {name}.jpg"))
    shutil.copy(curated / "train" / "mask_old" / "003.jpg", photos / "mask_old" / f"{name}.jpg")
    table = tmp_path / "facts.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "source"])
        for photo in sorted(photos.glob("*/*.jpg")):
            rows.writerow([path_to_cell(photo.relative_to(photos).as_posix()), HOSTILE])
    report = tmp_path / "page.html"
    words = ["--data", str(photos), "--metadata", str(table), "--report", str(report)]
    assert main(["evaluate", str(small_run), *words]) == 0
    page = Page(report)
    assert page.outside == []
    shown = shown_text(HOSTILE)
    assert shown in page.words
    assert shown_text(f"mask_old/{name}.jpg") in page.words


def test_photos_that_were_learned_from_are_told(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaked = Path(shutil.copytree(curated / "test", tmp_path / "leaked"))
    shutil.copy(curated / "train" / "mask_old" / "003.jpg", leaked / "mask_old" / "new.jpg")
    file = tmp_path / "page.html"
    assert main(["evaluate", str(small_run), "--data", str(leaked), "--report", str(file)]) == 0
    twins = Page(file).part("twins")
    assert "Of 17 tested photos 1 are the very file" in twins
    assert "mask_old/new.jpg" in twins
    assert "train/mask_old/003.jpg" in twins


def test_a_bundle_alone_says_why_nothing_was_compared(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = Path(shutil.copytree(small_run / "bundle", tmp_path / "bundle"))
    file = tmp_path / "page.html"
    words = ["--data", str(curated / "test"), "--report", str(file)]
    assert main(["evaluate", str(bundle), *words]) == 0
    assert "Not known" in Page(file).part("twins")


def test_a_page_that_cannot_be_written_ends_with_5(
    small_run: Path, curated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--data", str(curated), "--report", str(tmp_path)]
    assert main(["evaluate", str(small_run), *words]) == 5
    assert "Choose another --report" in capsys.readouterr().err


def test_a_preview_shows_the_views_that_were_learned_from(curated: Path) -> None:
    train = read_training_photos(curated).train
    shown = preview_views(train, PixelReader(48), views=3, scheme=MASK_AGE)
    assert [each.photo.label for each in shown.photos] == [
        label for label in MASK_AGE.labels for _ in range(2)
    ]
    first = shown.photos[0]
    assert len(first.variants) == 2
    at = train.photos.index(first.photo)
    pixels = resize_square(read_image(first.photo.path), 48)
    seed = mix_seed(int(train.digests[at][:8], 16), 1)
    np.testing.assert_array_equal(first.variants[0], Augmenter(vary_framing)(pixels, seed))


def test_a_preview_of_epochs_shows_no_more_than_there_were(curated: Path) -> None:
    train = read_training_photos(curated).train
    short = preview_epochs(train, PixelReader(48), 2, 1337, is_scratch=True, scheme=MASK_AGE)
    long = preview_epochs(train, PixelReader(48), 60, 1337, is_scratch=False, scheme=MASK_AGE)
    assert {len(each.variants) for each in short.photos} == {2}
    assert {len(each.variants) for each in long.photos} == {6}
    assert "colour" in short.note
    assert "framing" in long.note


def test_a_photo_is_shelved_once_and_one_that_is_gone_leaves_a_blank(
    curated: Path, tmp_path: Path
) -> None:
    photo = read_curated(curated).photos("test")[0].path
    shelf = PictureShelf()
    one, other = shelf.show(photo, "a <b>"), shelf.show(photo, "again")
    assert len(shelf) == 1
    assert one.split('"')[1] == other.split('"')[1] == "photo p0"
    assert "a &lt;b&gt;" in one
    assert "photo gone" in shelf.show(tmp_path / "missing.jpg", "missing")
    assert len(shelf) == 1


def test_pictures_keep_their_proportions() -> None:
    assert shrink(np.zeros((400, 200, 3), np.uint8)).shape == (SIDE_PX, SIDE_PX // 2, 3)
    assert shrink(np.zeros((20, 30, 3), np.uint8)).shape == (20, 30, 3)


def test_a_coverage_curve_runs_from_the_surest_to_all() -> None:
    right = np.array([True, False, True, True])
    confidence = np.array([0.9, 0.6, 0.8, 0.8])
    assert coverage_curve(right, confidence) == ((0.25, 1.0), (0.75, 1.0), (1.0, 0.75))
    assert coverage_curve(right[:0], confidence[:0]) == ()


def test_reliability_tells_confidence_and_accuracy_of_each_bin() -> None:
    chances = np.array([[0.9, 0.1, 0, 0], [0.9, 0.1, 0, 0], [0.4, 0.3, 0.2, 0.1]])
    bins = measure_reliability(np.array([0, 1, 0]), chances)
    assert bins == (ReliabilityBin(0.4, 1.0, 1), ReliabilityBin(0.9, 0.5, 2))
    assert calibration_error(bins) == pytest.approx((0.6 + 2 * 0.4) / 3)
    assert calibration_error(()) == 0.0


def test_charts_place_their_marks() -> None:
    one = ReliabilityBin(1.0, 1.0, 10)
    drawn = draw_reliability([one], [])
    # The upper right corner of the plot: 460 less 14, and 14 from above.
    assert 'cx="446.0" cy="14.0"' in drawn
    assert "10 photos: 100.0% sure, 100.0% right" in drawn
    assert 'points="249.0,14.0 446.0,256.0"' in draw_coverage([(0.5, 1.0), (1.0, 0.8)], [])
    bar = draw_bar(0.75, (0.5, 1.0), start=0.5)
    assert "width:50.0%" in bar
    assert "left:0.0%;width:100.0%" in bar
