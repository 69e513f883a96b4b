"""What a search predicts, from rates that are given here."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from maskage.formats.run.search_file import CandidateRecord
from trainer.recipe import load_recipe, recipe_names
from trainer.search.costs import STEP_RATIO, Costs, TrainingTimes
from trainer.search.trial_stage import _as_toml, shorten

CANDIDATE = CandidateRecord(recipe="mobilenetv2", image_size=192, alpha=1.0, heads="classes")
RECIPE = load_recipe("mobilenetv2")
KNOWN = {("mobilenetv2", 1.0, 192): 5.0}


def test_another_size_takes_time_by_its_area() -> None:
    costs = Costs({}, KNOWN)
    assert costs.face_ms(CANDIDATE) == 5.0
    assert costs.face_ms(replace(CANDIDATE, image_size=96)) == pytest.approx(1.25)
    assert costs.face_ms(replace(CANDIDATE, alpha=0.35)) is None
    assert costs.face_ms(replace(CANDIDATE, recipe="xception")) is None


def test_frozen_features_are_predicted_where_anything_is_known() -> None:
    costs = Costs({"head_s": 2.0, "probe_s": 10.0}, KNOWN)
    assert costs.frozen_s(CANDIDATE, 1000, heads=2, folds=5) == pytest.approx(10 + 5 + 20)
    assert costs.frozen_s(CANDIDATE, 0, heads=1, folds=5) == pytest.approx(5 + 10)
    unknown = replace(CANDIDATE, recipe="xception")
    assert costs.frozen_s(unknown, 1000, heads=2, folds=5) is None


def test_a_training_is_predicted_by_its_steps_and_what_stands_beside_them() -> None:
    costs = Costs({"overhead_s": 30.0, "head_s": 2.0}, KNOWN)
    needed_s = costs.fit_s(CANDIDATE, RECIPE, photos=1000, missing=200, epochs=4)
    assert needed_s == pytest.approx(200 * 0.005 + 32 + 4 * 1000 * 0.005 * STEP_RATIO)


def test_a_training_teaches_the_rates_of_its_own_backbone_first() -> None:
    before = Costs({"step_ratio": 3.0}, {**KNOWN, ("xception", 1.0, 299): 60.0})
    rates = before.after_training(CANDIDATE, RECIPE, 1000, TrainingTimes(70.0, 10.0, 25.0))
    assert rates == {"step_ratio": 2.0, "step_ratio:mobilenetv2": 2.0, "overhead_s": 25.0}
    later = Costs(rates | {"step_ratio": 9.0, "head_s": 0.0}, before.known_ms)
    own = later.fit_s(CANDIDATE, RECIPE, photos=1000, missing=0, epochs=1)
    assert own == pytest.approx(25 + 10)
    other = replace(CANDIDATE, recipe="xception", image_size=299)
    found = later.fit_s(other, load_recipe("xception"), photos=1000, missing=0, epochs=1)
    assert found == pytest.approx(25 + 540)


def test_a_training_without_fine_tuning_teaches_no_rate_of_steps() -> None:
    rates = Costs({}, KNOWN).after_training(CANDIDATE, RECIPE, 1000, TrainingTimes(30, 0.0, 20.0))
    assert rates == {"overhead_s": 20.0}


@pytest.mark.parametrize("name", recipe_names())
def test_a_trial_has_the_recipe_with_fewer_epochs_and_no_views(name: str, tmp_path: Path) -> None:
    recipe = load_recipe(name)
    short = shorten(recipe)
    assert 2 <= short.fine_tune.epochs <= recipe.fine_tune.epochs / 2
    assert short.views == 1
    assert replace(short.fine_tune, epochs=0) == replace(recipe.fine_tune, epochs=0)
    path = tmp_path / f"{name}.toml"
    path.write_text(_as_toml(asdict(short)))
    assert load_recipe(str(path)) == short


def test_a_recipe_of_one_epoch_keeps_it() -> None:
    one = replace(RECIPE, fine_tune=replace(RECIPE.fine_tune, epochs=1))
    assert shorten(one).fine_tune.epochs == 1
