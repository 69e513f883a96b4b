"""The table and the page of a search, from answers that are known."""

import itertools
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from maskage.formats.run.search_file import CandidateRecord
from tests.trainer.search.conftest import make_candidate, make_judged, rank_candidates
from trainer.search.page import CLOSE_PX, FrontPlot, _labels, _plot, render
from trainer.search.summary import SearchSummary

JUDGED = make_judged()
MEANING = "No head saw a photo of the group that it judges."


def summarise_these(
    candidates: Mapping[str, CandidateRecord], run: Path | None = None
) -> SearchSummary:
    ranking = rank_candidates(JUDGED, candidates)
    metrics = {} if run is None else {
        "accuracy": 0.95, "accuracy_interval": [0.9, 0.98], "photos": 174, "evaluated_on": "test",
    }  # fmt: skip
    return SearchSummary(
        folder=Path("/home/x/runs/s"),
        curated=Path("/home/x/curated"),
        ranking=ranking,
        left_out=("xception-299: needs about 4 min, and 30 s are left for this stage.",),
        meaning=MEANING,
        run=run,
        metrics=metrics,
        budget_s=900,
        spent_s=300,
    )


FOLD = range(4)
SEVERAL = {
    "xception-299-classes": make_candidate(JUDGED, 61.2, FOLD, recipe="xception", trials=(0,)),
    "mobilenetv2-192-classes": make_candidate(JUDGED, 5.4, range(6), trials=(0,)),
    "mobilenetv2-192-factors": make_candidate(JUDGED, 5.4, range(20), heads="factors"),
    "mobilenetv2x0.35-96-classes": make_candidate(JUDGED, 0.6, range(40), recipe="small"),
}


def test_the_table_says_what_to_take_and_why_in_80_columns() -> None:
    text = str(summarise_these(SEVERAL, Path("/home/x/runs/s-best")))
    lines, spoken = text.splitlines(), " ".join(text.split())
    assert lines[0].startswith("120 photos of train and val in 60 groups")
    assert "* mobilenetv2-192-classes 5 epochs 40" in spoken
    assert "= xception-299-classes 5 epochs 40" in spoken
    assert "mobilenetv2-192-factors head 120" in spoken
    assert "Recommended: mobilenetv2-192-classes, 5.4 ms a face" in spoken
    assert "It is the fastest that these photos cannot tell from the best" in spoken
    assert "xception-299-classes and mobilenetv2-192-classes apart" in spoken
    assert "95.00% right (90.00% to 98.00%) on 174 test photos, which took no part" in spoken
    assert "xception-299: needs about 4 min" in spoken
    assert max(map(len, lines[: lines.index("") + 8])) <= 80
    assert text.endswith("Then try: detector live --model /home/x/runs/s-best")
    other = "trainer fit curated --model xception --image-size 64 --heads classes"
    assert f"To train the best in its place: {other}" in text


def test_without_a_run_the_way_on_is_named() -> None:
    text = str(summarise_these(SEVERAL))
    assert text.endswith("is not trained; go on: trainer search --resume /home/x/runs/s")


def test_json_has_every_candidate_with_its_distance_from_the_best() -> None:
    held = summarise_these(SEVERAL).as_dict()
    assert held["best"] == "xception-299-classes"
    assert held["recommended"] == "mobilenetv2-192-classes"
    assert held["run"] is None
    by_name = {each["name"]: each for each in held["candidates"]}
    assert by_name["xception-299-classes"]["behind_best"] is None
    assert by_name["mobilenetv2-192-classes"]["is_told_from_best"] is False
    assert by_name["mobilenetv2-192-classes"]["behind_best"]["value"] == pytest.approx(2 / 40)
    # Heads on frozen backbones were asked other photos, and are not compared.
    assert by_name["mobilenetv2-192-factors"]["behind_best"] is None
    assert by_name["mobilenetv2-192-factors"]["is_told_from_best"] is None


def test_the_page_holds_everything_and_no_path() -> None:
    page = render(summarise_these(SEVERAL, Path("/home/x/runs/s-best")))
    assert "/home/x" not in page
    for name in SEVERAL:
        assert name in page
    assert page.count("<circle") == 4
    assert 'class="before"' in page
    assert "these photos cannot tell them apart" in page
    assert "No head saw a photo" in page
    assert "detector live --model s-best" in page
    assert not re.search(r"(?:src|href)=\"(?!#|data:)", page)


def test_points_lie_within_the_plot_and_names_do_not_touch() -> None:
    summary = summarise_these(SEVERAL)
    shown = list(summary.ranking.standings)
    plot = _plot(shown)
    for each in shown:
        assert plot.left < plot.x(each.milliseconds) < plot.right
        assert plot.top <= plot.y(each.accuracy.high) < plot.y(each.accuracy.low) <= plot.bottom
    heights = sorted(y for _, y, *_ in _labels(plot, shown, shown[0].name))
    assert all(b - a >= CLOSE_PX for a, b in itertools.pairwise(heights))


def test_time_is_drawn_by_its_logarithm() -> None:
    plot = FrontPlot(1, 100, 0.8, 1.0)
    assert plot.x(10) == pytest.approx((plot.left + plot.right) / 2)
    assert (plot.y(0.8), plot.y(1.0)) == (plot.bottom, plot.top)
    assert [text for _, text in plot.ticks_x] == [
        "1 ms", "2 ms", "5 ms", "10 ms", "20 ms", "50 ms", "100 ms",
    ]  # fmt: skip
    assert [text for _, text in plot.ticks_y] == ["80%", "85%", "90%", "95%", "100%"]


def test_one_candidate_alone_has_a_page() -> None:
    page = render(summarise_these({"only": make_candidate(JUDGED, 5, [])}))
    assert "nothing to compare" in page
