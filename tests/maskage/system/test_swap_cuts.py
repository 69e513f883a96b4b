"""A kill while a finished folder takes the place of a former one leaves one of them, whole."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.maskage.dataset.power_checks import list_cuts
from tests.maskage.dataset.power_cut import Loss
from tests.maskage.dataset.saving_checks import CannotTraceError

SWAP = """
from pathlib import Path
from maskage.system import swap_folder
{saboteur}
root = Path({root!r})
swap_folder.swap_in(root / "new", root / "place")
"""
IN_TWO_STEPS = """
def in_two_steps(new, place):
    place.rename(place.with_name("former"))
    new.rename(place)
swap_folder.swap_in = in_two_steps
"""
REMOVED_FIRST = """
import shutil
def remove_first(new, place):
    shutil.rmtree(place)
    new.rename(place)
swap_folder.swap_in = remove_first
"""


def list_wrong(root: Path, saboteur: str = "") -> Iterator[str]:
    for name in ("new", "place"):
        (root / name / "train").mkdir(parents=True)
        for number in range(3):
            (root / name / "train" / f"{number}.jpg").write_text(name)
    script = SWAP.format(saboteur=saboteur, root=str(root))
    for left, _output, name in list_cuts(root, ["-c", script], [Loss.NOTHING]):
        found = {path.read_text() for path in (left / "place" / "train").glob("*.jpg")}
        count = len(list((left / "place" / "train").glob("*.jpg")))
        if (found, count) not in (({"new"}, 3), ({"place"}, 3)):
            yield f"{name}: {count} files of {found}"


@pytest.mark.parametrize("saboteur", ["", IN_TWO_STEPS, REMOVED_FIRST])
def test_a_kill_leaves_the_former_or_the_new_under_its_name(tmp_path: Path, saboteur: str) -> None:
    try:
        wrong = list(list_wrong(tmp_path / "root", saboteur))
    except CannotTraceError as fault:
        pytest.skip(f"cannot trace here: {fault}")
    assert bool(wrong) is bool(saboteur), wrong
