"""The layout of the counts for two classes as for sixty-four, in literal numbers."""

import itertools

import pytest

from collector.widgets.class_panel import ClassCounts, ClassPanel, PanelLayout, lay_out
from maskage.classes.ready_made import plain_scheme
from maskage.classes.scheme import PhotoClass, Scheme


@pytest.mark.parametrize(
    ("count", "width", "rows", "expected"),
    [
        # The four classes at 120x40, 80x24 and 60x20.
        (4, 38, 19, PanelLayout(3, 1, 4, True, 13)),
        (4, 30, 12, PanelLayout(2, 1, 4, False, 8)),
        (4, 30, 7, PanelLayout(1, 1, 4, True, 5)),
        (2, 30, 12, PanelLayout(3, 1, 2, True, 7)),
        (9, 30, 12, PanelLayout(1, 1, 9, True, 10)),
        (12, 30, 12, PanelLayout(1, 1, 12, False, 12)),
        (40, 30, 12, PanelLayout(1, 2, 20, True, 12)),
        (40, 38, 29, PanelLayout(1, 2, 40, True, 21)),
        (64, 58, 29, PanelLayout(1, 3, 64, True, 23)),
        (64, 10, 3, PanelLayout(1, 1, 1, True, 3)),
    ],
)
def test_classes_are_laid_out(count: int, width: int, rows: int, expected: PanelLayout) -> None:
    assert lay_out(count, width, rows) == expected


def test_a_layout_fits_and_is_found_again_at_its_own_height() -> None:
    for count, width, rows in itertools.product(range(2, 65), (26, 30, 38, 58), range(3, 40)):
        layout = lay_out(count, width, rows)
        assert layout.height <= rows, (count, width, rows)
        assert lay_out(count, width, layout.height) == layout, (count, width, rows)


def test_the_class_used_last_and_those_that_lack_most_are_shown() -> None:
    scheme = plain_scheme([f"c{number}" for number in range(6)])
    panel = ClassPanel(scheme, {}, 10, "/")
    panel.set_reactive(
        ClassPanel.counts,
        ClassCounts(total={f"c{number}": 6 - number for number in range(6)}, last="c0"),
    )
    assert [each.folder for each in panel.choose_shown(3)] == ["c0", "c4", "c5"]


def test_a_class_with_a_small_target_of_its_own_lacks_less() -> None:
    scheme = Scheme(
        (
            PhotoClass("few", "few", "#7cc7f0", target=5),
            PhotoClass("many", "many", "#7cc7f0"),
            PhotoClass("none", "none", "#7cc7f0"),
        )
    )
    panel = ClassPanel(scheme, {}, 100, "/")
    panel.set_reactive(ClassPanel.counts, ClassCounts(total={"few": 4, "many": 5, "none": 0}))
    assert [each.folder for each in panel.choose_shown(2)] == ["many", "none"]
