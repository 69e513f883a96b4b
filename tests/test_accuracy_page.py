"""The page of figures and the sheet of mistakes that the accuracy benchmark writes."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.common.criteria import Goal
from benchmarks.trainer.unseen.beside import CANNOT_TELL
from benchmarks.trainer.unseen.page import END, make_section, write_section
from benchmarks.trainer.unseen.sheets import COLUMNS, write_sheet
from maskage.pictures.images import encode_jpeg, read_image

FIGURES = {
    "command": "python benchmarks/trainer/accuracy.py FACES",
    "is_whole": True,
    "photos": 415,
    "accuracy": 0.94217,
    "accuracy_interval_by_group": [0.92, 0.9613],
    "trainings": {
        "trainings": 1,
        "seeds": [1337],
        "fit_seconds": 100.0,
        "highest_load": 1.5,
        "milliseconds_a_face": 4.25,
        "dates": ["2026-11-27"],
        "revisions": ["abc1234"],
        "machines": ["two cores"],
    },
    "beside": {
        "mask_accuracy": {
            "difference": 0.012,
            "interval_by_group": [-0.001, 0.02],
            "verdict": CANNOT_TELL,
        }
    },
}


def test_a_page_shows_what_was_measured_how_and_the_goal() -> None:
    lines = make_section("Folds", FIGURES, [Goal(("accuracy",), "a test", at_least=0.975)])
    assert "| class | 94.2% of 415 | 92.0% to 96.1% | at least 97.5% |" in lines
    assert "| milliseconds a face | 4.25 at a load of 1.5 |  |  |" in lines
    certain = {**FIGURES, "accuracy_interval_by_group": None, "accuracy_interval": [0.94, 1.0]}
    row = "| class | 94.2% of 415 | 94.0% to 100.0% (Wilson) |  |"
    assert row in make_section("Folds", certain, ())
    gap = "| difference: mask | +1.20 points, cannot be told apart | -0.10 to +2.00 | |"
    assert gap in lines
    assert "    python benchmarks/trainer/accuracy.py FACES" in lines
    assert "1 training, seeds 1337; 2026-11-27; revision abc1234; two cores" in lines


def test_a_section_is_replaced_by_the_next_measurement_of_its_title(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Accuracy\n\n{END}\n\nWhat failed.\n")
    write_section(page, "Folds by group", FIGURES, ())
    write_section(page, "A source left out", FIGURES, ())
    write_section(page, "Folds by group", {**FIGURES, "accuracy": 0.5}, ())
    text = page.read_text()
    assert text.startswith("# Accuracy\n\n<!-- measured: folds-by-group -->\n### Folds by group\n")
    assert text.endswith(f"{END}\n\nWhat failed.\n")
    assert text.count("### Folds by group") == text.count("### A source left out") == 1
    assert text.count("50.0% of 415") == text.count("94.2% of 415") == 1


def test_a_page_without_the_mark_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Accuracy\n")
    with pytest.raises(ValueError, match="has no line"):
        write_section(page, "Folds", FIGURES, ())
    assert page.read_text() == "# Accuracy\n"


def test_a_sheet_shows_the_photos_row_by_row(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(encode_jpeg(np.full((50, 40, 3), 200, np.uint8)))
    write_sheet(tmp_path / "sheet.jpg", [(photo, "chin 0.98")] * (COLUMNS + 1))
    assert read_image(tmp_path / "sheet.jpg").shape == (448, 1000, 3)
