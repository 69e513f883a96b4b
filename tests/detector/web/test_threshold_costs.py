"""The cost of a threshold, from the test answers of the run that a bundle lies in."""

from pathlib import Path

import numpy as np
import pytest

from detector.web.about import describe_costs, describe_keys
from detector.web.threshold_costs import find_threshold_costs, measure_costs
from maskage.classes.ready_made import MASK_AGE, plain_scheme
from maskage.formats.run.predictions_file import Prediction, write_predictions

ANSWERS = [
    Prediction("test/mask_old/a.jpg", "mask_old", "mask_old", (0.9, 0.1, 0.0, 0.0)),
    Prediction("test/mask_old/b.jpg", "mask_old", "mask_young", (0.4, 0.6, 0.0, 0.0)),
    Prediction("test/nomask_old/c.jpg", "nomask_old", "nomask_old", (0.1, 0.1, 0.55, 0.25)),
]


def test_answers_are_counted_at_each_percent() -> None:
    costs = measure_costs(np.array([0.9, 0.6, 0.55]), np.array([True, False, True]))
    assert costs.photos == 3
    assert len(costs.steps) == 101
    counts = {at: (costs.steps[at].answered, costs.steps[at].right) for at in (0, 55, 56, 60, 61)}
    assert counts == {0: (3, 2), 55: (3, 2), 56: (2, 1), 60: (2, 1), 61: (1, 1)}
    assert costs.steps[100].answered == 0


def test_the_answers_of_the_run_around_a_bundle_are_read(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    write_predictions(tmp_path, ANSWERS, MASK_AGE.labels)
    costs = find_threshold_costs(tmp_path / "bundle", MASK_AGE)
    told = describe_costs(costs)
    assert told is not None
    assert told.photos == 3
    assert (told.steps[50].answered, told.steps[50].accuracy) == (3, 0.6667)
    assert told.steps[95].accuracy is None


@pytest.mark.parametrize("state", ["missing", "damaged", "empty", "of other classes"])
def test_without_answers_nothing_is_made_up(tmp_path: Path, state: str) -> None:
    (tmp_path / "bundle").mkdir()
    scheme = MASK_AGE
    if state == "damaged":
        (tmp_path / "predictions.csv").write_text("path,actual\nx")
    elif state != "missing":
        write_predictions(tmp_path, [] if state == "empty" else ANSWERS, MASK_AGE.labels)
    if state == "of other classes":
        scheme = plain_scheme(["a", "b", "c", "d"])
    assert find_threshold_costs(tmp_path / "bundle", scheme) is None
    assert describe_costs(None) is None


def test_every_key_of_the_window_has_the_name_of_its_command() -> None:
    keys = {each.key: each for each in describe_keys(MASK_AGE)}
    assert keys["p"].action == "toggle_pause"
    assert (keys["+"].action, keys["+"].by) == ("move_threshold", 0.05)
    assert (keys["3"].action, keys["3"].label) == ("correct_label", "nomask_old")
    assert "[" not in keys
    many = {each.key: each for each in describe_keys(plain_scheme([f"c{n}" for n in range(40)]))}
    assert (many["["].action, many["["].by) == ("choose_label", -1)
    assert many["\r"].action == "correct_as_chosen"
