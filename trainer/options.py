"""The options that several commands of `trainer` share."""

import argparse
from pathlib import Path

from maskage.commands.parser import CommandParser, offer_words
from maskage.defaults import DEFAULT_CURATED
from trainer.recipe import recipe_names

DEFAULT_RECIPE = "mobilenetv2"


def add_curated(parser: CommandParser) -> None:
    """Add CURATED, the folder of train, val and test."""
    is_left_out = parser.argument_default is argparse.SUPPRESS
    parser.add_argument(
        "curated",
        type=Path,
        nargs="?",
        default=None if is_left_out else DEFAULT_CURATED,
        metavar="CURATED",
        help=f"folder that `curate` made (default: {DEFAULT_CURATED})",
    )


def add_recipe(parser: argparse._ActionsContainer) -> None:
    """Add `--model`, a recipe."""
    is_left_out = parser.argument_default is argparse.SUPPRESS
    action = parser.add_argument(
        "--model",
        default=argparse.SUPPRESS if is_left_out else DEFAULT_RECIPE,
        metavar="RECIPE",
        help=f"{', '.join(recipe_names())}, or your own .toml (default: {DEFAULT_RECIPE})",
    )
    offer_words(action, recipe_names())


def add_backbone_weights(parser: argparse._ActionsContainer) -> None:
    """Add `--weights`, for a backbone that is not trained."""
    parser.add_argument(
        "--weights",
        default="imagenet",
        metavar="imagenet|PATH",
        help="start of the backbone (default: imagenet); PATH is an .h5 file without top",
    )


def add_network(parser: argparse._ActionsContainer) -> None:
    """Add the options that change the network of a recipe."""
    parser.add_argument(
        "--image-size", type=int, metavar="PX", help="side of the network's input, in pixels"
    )
    parser.add_argument(
        "--alpha", type=float, metavar="X", help="width of mobilenetv2: 1.0, 0.35, ..."
    )
