"""The options of `curate`, and what they ask for."""

import argparse
import os
from pathlib import Path

from curation.limits import FLAWS, CheckLimits
from curation.scan.workers import Workers
from curation.settings import (
    AUGMENT,
    BALANCE_MODES,
    DEFAULT_RATIO,
    DEFAULT_SEED,
    GROUP,
    MAX_VARIANTS,
    REMOVE_BITS,
    SPLIT_MODES,
    CurationSettings,
    PaintingSettings,
)
from maskage.console import CommandParser
from maskage.errors import EnvironmentProblemError, MissingDownloadError
from maskage.installation import ShowVersion, explain_install

DEFAULT_DATA = Path("data")
DEFAULT_OUT = Path("curated")

ALL_FACES = 1.0

_LIMITS = CheckLimits()


def make_parser() -> argparse.ArgumentParser:
    """The command line of `curate`."""
    parser = CommandParser(
        prog="curate",
        description="Turn four folders of photos into train, val and test that do not leak. "
        "No photo of the dataset is changed; the result replaces a former one whole.",
    )
    add = parser.add_argument
    add("--version", action=ShowVersion)
    add("data", type=Path, nargs="?", default=DEFAULT_DATA, help="dataset folder (default: data)")
    add("--dedupe", action="store_true", help="set near-duplicates aside; the best photo stays")
    add(
        "--balance",
        nargs="?",
        const=AUGMENT,
        choices=BALANCE_MODES,
        help="make the classes of train even: augment fills the smaller ones up with variants "
        "(this is meant where no way is named), drop thins the larger ones out, weights leaves "
        "the photos alone and tells the trainer what each class counts",
    )
    add("--out", type=Path, default=DEFAULT_OUT, help="folder of the result (default: curated)")
    add("--dry-run", action="store_true", help="print the plan and every reason; write nothing")
    add("--json", action="store_true", help="one JSON object on stdout")
    add("--strict", action="store_true", help="on any fault in the photos write nothing, exit 3")
    _add_split(parser.add_argument_group("splitting"))
    _add_variants(parser.add_argument_group("variants"))
    _add_checks(parser.add_argument_group("checks, which set photos aside"))
    _add_work(parser.add_argument_group("work"))
    return parser


def parse(argv: list[str]) -> argparse.Namespace:
    """Parse a command line; `--balance DATA` means `--balance augment DATA`, and so on."""
    words = list(argv)
    for place, word in enumerate(words[:-1]):
        # A folder that follows is the dataset; anything else is a value, perhaps mistyped.
        after = words[place + 1]
        is_folder = os.path.isdir(after)  # noqa: PTH112  never raises
        if word == "--balance" and is_folder and after not in BALANCE_MODES:
            words[place] = f"--balance={AUGMENT}"
        if word == "--paint-masks" and is_folder and not _is_share(after):
            words[place] = f"--paint-masks={ALL_FACES}"
    return make_parser().parse_args(words)


def settings_of(arguments: argparse.Namespace) -> CurationSettings:
    """What a command line asks for.

    Raises:
        UsageError: Something impossible.
        EnvironmentProblemError: `--find-faces` without a face model to be had.
    """
    limits = CheckLimits(
        min_sharpness=arguments.min_sharpness,
        min_brightness=arguments.min_brightness,
        max_brightness=arguments.max_brightness,
        max_clipped=arguments.max_clipped,
        min_side=arguments.min_side,
        max_aspect=arguments.max_aspect,
        allowed=frozenset(arguments.allow),
    )
    return CurationSettings(
        dedupe=arguments.dedupe,
        balance=arguments.balance,
        expand=arguments.expand,
        max_variants=arguments.max_variants,
        ratio=tuple(arguments.ratio),
        seed=arguments.seed,
        split=arguments.split,
        radius=arguments.radius,
        limits=limits,
        face_model=_face_model(arguments, "--find-faces") if arguments.find_faces else None,
        painting=_painting(arguments),
        check_labels=arguments.check_labels,
    )


def workers_of(arguments: argparse.Namespace) -> Workers:
    """Who is to look at the photos.

    Raises:
        UsageError: No number of workers, or two places for them.
    """
    return Workers(arguments.workers, arguments.processes, arguments.scheduler)


def _add_split(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--ratio",
        type=float,
        nargs=3,
        default=DEFAULT_RATIO,
        metavar=("TRAIN", "VAL", "TEST"),
        help="shares, which sum to 1 (default: .8 .1 .1)",
    )
    group.add_argument("--seed", type=int, default=DEFAULT_SEED, help="(default: 1337)")
    group.add_argument(
        "--split",
        choices=SPLIT_MODES,
        default=GROUP,
        help="keep people, sessions and near-duplicates on one side, or do as split-folders does "
        "by itself (default: group)",
    )
    group.add_argument(
        "--radius",
        type=int,
        default=REMOVE_BITS,
        metavar="BITS",
        help="pHash bits within which a photo is a near-duplicate (default: 4)",
    )


def _add_variants(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--expand", type=int, metavar="N", help="grow every class of train to N with variants"
    )
    group.add_argument(
        "--max-variants",
        type=int,
        default=MAX_VARIANTS,
        metavar="N",
        help=f"most variants of one photo (default: {MAX_VARIANTS})",
    )
    group.add_argument(
        "--paint-masks",
        type=read_share,
        nargs="?",
        const=ALL_FACES,
        metavar="SHARE",
        help="add so many of the bare faces of train once more with a mask painted below the nose "
        "or on the chin, which is no mask, and half as many with one that is worn (1, which is "
        "meant where no share is named: all of them)",
    )


def _add_checks(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--allow",
        type=_kinds,
        default=(),
        metavar="KINDS",
        help=f"keep photos with these flaws: any of {','.join(map(_hyphened, FLAWS))}",
    )
    described = {
        "min_sharpness": "variance of the Laplacian at 128 px",
        "min_brightness": "mean brightness, 0 to 255",
        "max_brightness": "mean brightness, 0 to 255",
        "max_clipped": "share of black and white pixels, 0 to 1",
        "min_side": "shorter side of the photo, px",
        "max_aspect": "longer side over shorter side",
    }
    for name, meaning in described.items():
        default = getattr(_LIMITS, name)
        add(
            f"--{name.replace('_', '-')}",
            type=type(default),
            default=default,
            metavar="X",
            help=f"{meaning} (default: {default:g})",
        )
    add(
        "--find-faces",
        action="store_true",
        help="find the face in photos where nobody has looked for it, compare and measure the face "
        "alone, and set aside what shows none or several",
    )
    add("--face-model", type=Path, metavar="ONNX", help="a local copy of YuNet, which finds faces")
    add(
        "--check-labels",
        action="store_true",
        help="write down which labels are probably wrong, for `collector review`; removes no photo",
    )


def _add_work(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers", type=int, metavar="N", help="who looks at photos (default: one a core)"
    )
    group.add_argument(
        "--processes", action="store_true", help="the workers are processes instead of threads"
    )
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="the workers of this Dask scheduler look instead, as tcp://host:8786; they need the "
        f"dataset under the same path (needs {explain_install('cluster')})",
    )


def read_share(text: str) -> float:
    """A share of the bare faces, as `--paint-masks` takes it.

    Raises:
        ArgumentTypeError: It is no number above 0 and at most 1.
    """
    if not _is_share(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no share of the bare faces (a number above 0, 1 at most), nor a dataset "
            f"folder"
        )
    return float(text)


def _is_share(text: str) -> bool:
    try:
        return 0 < float(text) <= 1
    except ValueError:
        return False


def _kinds(text: str) -> tuple[str, ...]:
    """ "blurred,no-face": kinds of flaws as the command line spells them."""
    return tuple(kind.strip().replace("-", " ") for kind in text.split(",") if kind.strip())


def _hyphened(kind: str) -> str:
    return kind.replace(" ", "-")


def _painting(arguments: argparse.Namespace) -> PaintingSettings | None:
    if arguments.paint_masks is None:
        return None
    return PaintingSettings(arguments.paint_masks, _face_model(arguments, "--paint-masks"))


def _face_model(arguments: argparse.Namespace, wish: str) -> Path:
    from maskage.faces.finder import obtain_face_model

    try:
        return obtain_face_model(arguments.face_model).resolve()
    except MissingDownloadError as fault:
        raise EnvironmentProblemError(
            f"{wish}: no face model here, and it cannot be fetched. Name a copy of YuNet with "
            f"--face-model, or leave {wish} out."
        ) from fault
