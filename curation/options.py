"""The options of `curate`, and what they ask for."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from curation.limits import FLAWS, CheckLimits
from curation.scan.workers import Workers
from curation.settings import (
    AUGMENT,
    AUTO,
    BALANCE_MODES,
    DEFAULT_GAP_S,
    DEFAULT_RATIO,
    DROP,
    GROUP,
    MAX_VARIANTS,
    NO_FACE_MODEL,
    NOT_WANTED,
    PEOPLE_MODES,
    REMOVE_BITS,
    SESSION_GAP_MIN,
    SPLIT_MODES,
    CurationSettings,
    PaintingSettings,
)
from maskage.commands.options import add_data, add_face_model, add_json, add_seed
from maskage.commands.parser import CommandParser
from maskage.defaults import DEFAULT_CURATED
from maskage.errors import EnvironmentProblemError, MissingDownloadError
from maskage.installation import explain_install

ALL_FACES = 1.0
PAINTED_SHARE = 0.5
"""Share of the faces that get a mask by default.

On photographs of misworn masks, a network trained without painted masks told 77.3% as no mask, and
one trained with this share 83.4% (paired difference 6.1 points, 2.2 to 10.1; see docs/accuracy.md).
"""

_LIMITS = CheckLimits()


def add_curate_options(parser: CommandParser) -> None:
    """Add the options of `curate`."""
    add_data(parser)
    add = parser.add_argument
    add("--dedupe", action="store_true", help="set near-duplicates aside; the best photo stays")
    add(
        "--balance",
        nargs="?",
        const=AUGMENT,
        choices=BALANCE_MODES,
        help="make the classes of train even: augment fills the smaller ones up with variants "
        "(the default, where no way is given), drop thins the larger ones out, weights leaves the "
        "photos alone and tells the trainer how much each class counts",
    )
    add(
        "--out",
        type=Path,
        default=DEFAULT_CURATED,
        metavar="FOLDER",
        help=f"folder of the result (default: {DEFAULT_CURATED})",
    )
    add("--dry-run", action="store_true", help="show the plan and every reason, change nothing")
    add("--strict", action="store_true", help="exit with 3 and write nothing where a photo is bad")
    add_json(parser)
    _add_split(parser.add_argument_group("splitting"))
    _add_variants(parser.add_argument_group("variants"))
    _add_checks(parser.add_argument_group("checks, which set photos aside"))
    _add_work(parser.add_argument_group("work"))


def spell_out(words: Sequence[str]) -> list[str]:
    """Spell out `--balance DATA` as `--balance=augment DATA`, and `--paint-masks DATA` likewise."""
    words = list(words)
    for place, word in enumerate(words[:-1]):
        # A folder that follows is the dataset; anything else is a value, perhaps mistyped.
        after = words[place + 1]
        is_folder = os.path.isdir(after)  # noqa: PTH112  never raises
        if word == "--balance" and is_folder and after not in BALANCE_MODES:
            words[place] = f"--balance={AUGMENT}"
        if word == "--paint-masks" and is_folder and not _is_share(after):
            words[place] = f"--paint-masks={ALL_FACES}"
    return words


def settings_of(arguments: argparse.Namespace) -> CurationSettings:
    """Return the settings that a command line asks for.

    Raises:
        UsageError: A value is out of range.
        EnvironmentProblemError: `--find-faces` finds no face model and cannot fetch one.
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
    painting = _painting(arguments)
    return CurationSettings(
        dedupe=arguments.dedupe,
        balance=arguments.balance,
        expand=arguments.expand,
        max_variants=arguments.max_variants,
        ratio=tuple(arguments.ratio),
        seed=arguments.seed,
        split=arguments.split,
        keep_split=None if arguments.keep_split is None else arguments.keep_split.resolve(),
        gap_s=arguments.gap,
        no_test=arguments.no_test,
        people=arguments.people,
        session_gap=arguments.session_gap,
        radius=arguments.radius,
        limits=limits,
        face_model=_face_model(arguments, "--find-faces") if arguments.find_faces else None,
        painting=painting,
        unpainted=None if painting is not None else _say_unpainted(arguments),
        check_labels=arguments.check_labels,
        label_face_model=arguments.face_model if arguments.check_labels else None,
    )


def workers_of(arguments: argparse.Namespace) -> Workers:
    """Return the workers that a command line asks for.

    Raises:
        UsageError: The number of workers is not above 0, or two places are given for them.
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
    add_seed(group, "seed of the split and of the variants")
    group.add_argument(
        "--split",
        choices=SPLIT_MODES,
        default=GROUP,
        help="group keeps people, sessions and near-duplicates on one side; for few people, "
        "session keeps sessions on one side and time cuts each session into train, val and "
        f"test; given keeps the train, val and test that photos were imported with; random splits "
        f"photo by photo, as split-folders does by itself (default: {GROUP})",
    )
    group.add_argument(
        "--keep-split",
        type=Path,
        metavar="SET|RUN",
        help="keep photos in the split that they have in this former set, or had in the set that "
        "this run was trained on, also where they have another label now; new photos fill it up "
        "(--split group or session)",
    )
    group.add_argument(
        "--gap",
        type=float,
        metavar="S",
        help="seconds between train, val and test within a session, for --split time; the photos "
        f"in between are set aside (default: {DEFAULT_GAP_S:g}). Photos without a time are taken "
        "in the order of their names, one each second",
    )
    group.add_argument(
        "--no-test",
        action="store_true",
        help="make a set of train and val alone, for too few people: nothing then measures the "
        "model",
    )
    group.add_argument(
        "--people",
        choices=PEOPLE_MODES,
        default=AUTO,
        help="auto keeps the photos of one person on one side where the names of files or folders "
        "clearly name people (00042_Mask.jpg, anna_003.jpg); names does so also where it is not "
        f"clear, and none never (default: {AUTO})",
    )
    group.add_argument(
        "--session-gap",
        type=float,
        default=SESSION_GAP_MIN,
        metavar="MINUTES",
        help="time without a photo after which another session is guessed to begin, for photos "
        "with a capture time of which neither person nor session is known; 0 guesses none "
        f"(default: {SESSION_GAP_MIN:g})",
    )
    group.add_argument(
        "--radius",
        type=int,
        default=REMOVE_BITS,
        metavar="BITS",
        help=f"pHash bits within which a photo is a near-duplicate (default: {REMOVE_BITS})",
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
        help="add this share of the bare faces of train once more with a mask painted below the "
        "nose, on the chin, over the eyes or above the mouth, and of the masked faces with their "
        "mask pulled down, which is misworn where there is such a class and no mask where there is "
        f"none, and about half as many with one that is worn (default: {PAINTED_SHARE:g} where "
        "there are classes with and without masks and the face model is here, but not with "
        "--balance drop; 0 paints none, and the option without a share paints on all)",
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
        help="find the face in photos that have not been searched for one, compare and measure the "
        "face alone, and set aside photos that show none or several",
    )
    add_face_model(group)
    add(
        "--check-labels",
        action="store_true",
        help="mark labels that are probably wrong, for `collector review`, with the reason; masks "
        "below the nose too; removes no photo",
    )


def _add_work(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--workers", type=int, metavar="N", help="number of workers (default: one for each core)"
    )
    group.add_argument(
        "--processes", action="store_true", help="the workers are processes instead of threads"
    )
    group.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="use the workers of this Dask scheduler, such as tcp://host:8786; they need the "
        f"dataset under the same path (needs {explain_install('cluster')})",
    )


def read_share(text: str) -> float:
    """Return the share of the bare faces that `--paint-masks` is given.

    Raises:
        ArgumentTypeError: It is not a number from 0 to 1.
    """
    if not _is_share(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no share of the bare faces (a number from 0 to 1), nor a dataset folder"
        )
    return float(text)


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def _kinds(text: str) -> tuple[str, ...]:
    """Return the kinds of flaws in a list such as "blurred,no-face"."""
    return tuple(kind.strip().replace("-", " ") for kind in text.split(",") if kind.strip())


def _hyphened(kind: str) -> str:
    return kind.replace(" ", "-")


def _painting(arguments: argparse.Namespace) -> PaintingSettings | None:
    from maskage.faces.finder import find_face_model

    share = arguments.paint_masks
    if share is not None:
        return PaintingSettings(share, _face_model(arguments, "--paint-masks")) if share else None
    model = None if arguments.balance == DROP else find_face_model(arguments.face_model)
    return (
        None if model is None else PaintingSettings(PAINTED_SHARE, model.resolve(), is_asked=False)
    )


def _say_unpainted(arguments: argparse.Namespace) -> str | None:
    """Return why no masks are painted; None where none are by default."""
    if arguments.paint_masks is not None:
        return NOT_WANTED
    return None if arguments.balance == DROP else NO_FACE_MODEL


def _face_model(arguments: argparse.Namespace, wish: str) -> Path:
    from maskage.faces.finder import obtain_face_model

    try:
        return obtain_face_model(arguments.face_model).resolve()
    except MissingDownloadError as fault:
        raise EnvironmentProblemError(
            f"{wish}: no face model here, and it cannot be fetched. Name a copy of YuNet with "
            f"--face-model, or leave {wish} out."
        ) from fault
