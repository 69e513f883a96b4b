import csv
import json
from pathlib import Path

from detector.tour.report import write_demo_report
from detector.tour.score import LiveScore
from maskage.classes.ready_made import MASK_AGE
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise
from tests.pages import Page

PLAN = [
    ("mask_old/1.jpg", "mask_old", 1, "", "g1", "train", ""),
    ("mask_old/1-v1.jpg", "mask_old", 1, "", "g1", "train", "mask_old/1.jpg"),
    ("mask_old/2.jpg", "mask_old", 0, "surplus", "g2", "", ""),
]


def write_demo(out: Path, photos: int) -> None:
    for number, label in enumerate(MASK_AGE.labels):
        (out / "data" / label).mkdir(parents=True)
        for photo in range(photos):
            picture = encode_jpeg(draw_noise(100 * number + photo, 40))
            (out / "data" / label / f"{photo:02d}.jpg").write_bytes(picture)
    (out / "curated").mkdir()
    with (out / "curated" / "plan.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "label", "kept", "reason", "group", "split", "parent"])
        rows.writerows(PLAN)
    scores = {"precision": 0.9, "recall": 0.8, "f1": 0.85}
    metrics = {
        "accuracy": 0.875,
        "accuracy_interval": [0.7, 0.95],
        "per_class": dict.fromkeys(MASK_AGE.labels, scores),
    }
    (out / "runs" / "demo").mkdir(parents=True)
    (out / "runs" / "demo" / "metrics.json").write_text(json.dumps(metrics))


def make_score(mistakes: int) -> LiveScore:
    score = LiveScore(MASK_AGE, seconds=2.0)
    score.confusion["mask_old", "mask_old"] = 30
    score.confusion["mask_old", "mask_young"] = mistakes
    score.moments = [draw_noise(seed, 60) for seed in range(20)]
    score.mistakes = [draw_noise(50 + seed, 60) for seed in range(mistakes)]
    return score


def test_the_page_shows_each_stage_of_the_loop(tmp_path: Path) -> None:
    write_demo(tmp_path, 20)
    page = Page(write_demo_report(tmp_path, make_score(10), ["a", "b"], ["c"]))
    assert page.ids == ["collect", "curate", "train", "detect"]
    links = ["curated/report.html", "runs/demo/report.html", "live.mp4", "live.jsonl"]
    assert page.outside == links
    assert "2 rendered people were photographed" in page.text
    assert "1 other people shown to it live" in page.text
    for tile in ("75.0%", "87.5%", "20"):
        assert f"<dd>{tile}</dd>" in page.text
    assert page.part("collect").count("<img") == 4 * 9
    assert "mask, old (20)" in page.part("collect")
    assert '<th scope="row">train</th><td>1 + 1</td>' in page.part("curate")
    assert '<th scope="row">set aside</th><td>1</td>' in page.part("curate")
    assert "<td>90.0%</td><td>80.0%</td><td>85.0%</td>" in page.part("train")
    assert '<td><b class="right">30</b></td><td>10</td>' in page.part("detect")
    assert page.part("detect").count("<img") == 12 + 10


def test_a_loop_without_mistakes_says_so(tmp_path: Path) -> None:
    write_demo(tmp_path, 1)
    page = Page(write_demo_report(tmp_path, make_score(0), [], []))
    assert "No frame was labelled wrongly." in page.part("detect")
    assert page.part("detect").count("<img") == 12
