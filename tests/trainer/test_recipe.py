from pathlib import Path

import pytest

from maskage.errors import UsageError
from trainer.network.backbones import BACKBONES, find_backbone
from trainer.recipe import load_recipe, recipe_names, with_overrides


def test_the_three_systems_of_the_original_are_there_with_their_epochs() -> None:
    wanted = {"mobilenetv2": 50, "xception": 100, "densenet169": 100}
    assert wanted.keys() <= set(recipe_names())
    assert {name: load_recipe(name).head.epochs for name in wanted} == wanted
    assert load_recipe("xception").views > 1


def test_overrides_reach_the_phases_they_speak_of() -> None:
    recipe = with_overrides(
        load_recipe("mobilenetv2"), epochs=7, fine_tune_epochs=0, image_size=96, batch_size=8
    )
    assert (recipe.head.epochs, recipe.scratch.epochs, recipe.fine_tune.epochs) == (7, 7, 0)
    assert {recipe.head.batch_size, recipe.fine_tune.batch_size, recipe.scratch.batch_size} == {8}
    assert recipe.image_size == 96
    assert with_overrides(recipe) == recipe


def test_values_out_of_range_are_told() -> None:
    recipe = load_recipe("mobilenetv2")
    with pytest.raises(UsageError, match="epochs must be 0 or more; found -1"):
        with_overrides(recipe, fine_tune_epochs=-1)
    with pytest.raises(UsageError, match="batch_size"):
        with_overrides(recipe, batch_size=0)
    with pytest.raises(UsageError, match="alpha"):
        with_overrides(recipe, alpha=0.0)


def test_an_own_file_is_a_recipe_too(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "trainer" / "recipes" / "mobilenetv2.toml"
    own = tmp_path / "mine.toml"
    own.write_text(source.read_text().replace("epochs = 50", "epochs = 5"))
    assert load_recipe(str(own)).head.epochs == 5
    assert load_recipe(str(own)).name == "mine"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("backbone = ", "not a complete recipe"),
        ("backbone = 'mobilenetv2'", "missing"),
        ("colour = 'red'", "unknown key colour"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, text: str, told: str) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(text)
    with pytest.raises(UsageError, match=told):
        load_recipe(str(own))


def test_an_unknown_name_is_told_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"densenet169, .*mobilenetv2, .*xception"):
        load_recipe("resnet50")


def test_every_recipe_has_a_backbone_and_every_backbone_a_recipe() -> None:
    recipes = {name: load_recipe(name) for name in recipe_names()}
    assert {recipe.backbone for recipe in recipes.values()} == set(BACKBONES)
    assert all(name == recipe.backbone for name, recipe in recipes.items())
    assert all(find_backbone(recipe) for recipe in recipes.values())
