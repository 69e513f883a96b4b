"""The dataset remembers what was written of it elsewhere, and who is in it as far as was said."""

import json
import multiprocessing
from datetime import date
from pathlib import Path

import pytest

from collector.cli import main
from curation.cli import main as curate
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.consent import Consent
from maskage.dataset.photo_listing import list_photos
from maskage.dataset.store import PhotoStore
from maskage.formats.output_log import Kind, Output, forget_in_log, log_output, read_outputs
from maskage.formats.run.datasets_behind import datasets_behind
from tests.conftest import draw_noise

SUBJECT = "p07-unmistakable"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing outside the test's folder is looked through."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MASKAGE_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "user-cache"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "project" / "data"
    root.parent.mkdir()
    with PhotoStore(root) as store:
        store.record_consent(Consent(SUBJECT, "form 7", date(2026, 11, 24)))
        for number, label in enumerate((*MASK_AGE.labels, *MASK_AGE.labels, *MASK_AGE.labels)):
            subject = SUBJECT if number < 4 else f"q{number // 4}"
            store.add(draw_noise(number), label, subject=subject)
    return root


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """A folder that nobody looks in."""
    folder = tmp_path / "far" / "off" / "and" / "deep" / "down"
    folder.mkdir(parents=True)
    return folder


def forget(data: Path, capsys: pytest.CaptureFixture[str], subject: str) -> dict[str, bool]:
    """Forget; returns what is listed outside sets and runs, and whether it is certain."""
    capsys.readouterr()
    assert main(["forget", subject, "--data", str(data), "--yes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["loose"]
    return {Path(each["path"]).name: each["is_certain"] for each in listed}


def test_recordings_are_listed_by_whom_they_were_said_to_show(
    data: Path, far: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, subject in (("a.mp4", SUBJECT), ("b.mp4", None), ("c.mp4", "q1")):
        (far / name).write_bytes(b"frames")
        log_output([data], Output(far / name, Kind.VIDEO, subject=subject))
    (far / "events.jsonl").write_text("{}\n")
    log_output([data], Output(far / "events.jsonl", Kind.TABLE, subject=SUBJECT))
    wanted = {"a.mp4": True, "b.mp4": False, "events.jsonl": True}
    assert forget(data, capsys, SUBJECT) == wanted
    assert forget(data, capsys, SUBJECT) == wanted
    log = (data / ".dataset" / "outputs.jsonl").read_text()
    assert SUBJECT not in log
    # The forgotten person's are not taken for those of nobody named.
    assert forget(data, capsys, "q1") == {"b.mp4": False, "c.mp4": True}
    (far / "a.mp4").unlink()
    (far / "events.jsonl").unlink()
    assert forget(data, capsys, SUBJECT) == {"b.mp4": False}
    assert "a.mp4" not in (data / ".dataset" / "outputs.jsonl").read_text()


def test_annotated_pictures_of_a_video_are_listed_as_one_and_only_they_are_removed(
    data: Path, far: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("frame_000000.jpg", "frame_000001.jpg"):
        (far / name).write_bytes(b"picture")
    log_output([data], Output(far, Kind.PICTURES))
    words = ["forget", SUBJECT, "--data", str(data), "--yes"]
    assert main(words) == 0
    assert f"    rm -r {far}\n" in capsys.readouterr().out
    (far / "mine.txt").write_text("of the user")
    assert main(words) == 0
    told = capsys.readouterr().out
    assert f"    rm {far}/frame_000000.jpg {far}/frame_000001.jpg\n" in told


def test_a_set_that_was_written_elsewhere_is_found(
    data: Path, far: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ratio = ["--ratio", ".34", ".33", ".33"]
    assert curate([str(data), "--out", str(far / "set"), *ratio]) == 0
    assert curate([str(data), "--out", str(data.parent / "near"), *ratio]) == 0
    # What is found without it needs no line.
    assert [each.path for each in read_outputs(data)] == [far / "set"]
    capsys.readouterr()
    assert main(["forget", SUBJECT, "--data", str(data), "--yes", "--json"]) == 0
    sets = json.loads(capsys.readouterr().out)["curated"]
    assert [Path(each["folder"]).name for each in sets] == ["set", "near"]


def test_a_log_that_cannot_be_written_is_kept_in_the_users_cache(
    data: Path, far: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / ".dataset" / "outputs.jsonl").mkdir()
    (far / "a.mp4").write_bytes(b"frames")
    log_output([data], Output(far / "a.mp4", Kind.VIDEO, subject=SUBJECT))
    assert forget(data, capsys, SUBJECT) == {"a.mp4": True}
    assert SUBJECT.encode() not in b"".join(
        path.read_bytes() for path in (data.parents[1] / "user-cache").rglob("*.jsonl")
    )


def test_no_log_is_made_where_nobody_can_be_forgotten(tmp_path: Path) -> None:
    (tmp_path / "folders" / "mask_old").mkdir(parents=True)
    log_output([tmp_path / "folders"], Output(tmp_path / "a.mp4", Kind.VIDEO))
    assert [path.name for path in (tmp_path / "folders").iterdir()] == ["mask_old"]
    assert not (tmp_path / "user-cache").exists()


def test_lines_that_are_none_are_passed_over_and_the_others_stay(data: Path, far: Path) -> None:
    (far / "a.mp4").write_bytes(b"frames")
    output = Output(far / "a.mp4", Kind.VIDEO)
    log_output([data], output)
    log = data / ".dataset" / "outputs.jsonl"
    line = log.read_text()
    log.write_text('\n[1]\n{"path": "/x", "kind": "new"}\n{"path": 3}\n' + line + line[:40])
    assert [each.path for each in read_outputs(data)] == [far / "a.mp4"]
    forget_in_log(data, lambda each: False)
    assert log.read_text() == line
    log_output([data], output)
    assert len(log.read_text().splitlines()) == 1


def _log_many(data: Path, far: Path, writer: int) -> None:
    for number in range(25):
        log_output([data], Output(far / f"{writer}-{number}.mp4", Kind.VIDEO))


def test_several_programs_may_write_at_once(data: Path, far: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_log_many, args=(data, far, n)) for n in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    lines = (data / ".dataset" / "outputs.jsonl").read_text().splitlines()
    assert len({json.loads(line)["path"] for line in lines}) == 75


def test_the_dataset_behind_a_set_a_run_and_a_photo_is_found(data: Path, tmp_path: Path) -> None:
    curated = tmp_path / "sets" / "curated"
    assert curate([str(data), "--out", str(curated), "--ratio", ".34", ".33", ".33"]) == 0
    bundle = tmp_path / "runs" / "base" / "bundle"
    bundle.mkdir(parents=True)
    (bundle.parent / "args.yaml").write_text(f"curated: {curated}\n")
    photo = data / list_photos(data)[0].path
    in_set = curated / "test" / "mask_old"
    for place in (data, photo, photo.parent, curated, in_set, bundle, bundle.parent):
        assert datasets_behind([place]) == {data}, place
    assert datasets_behind(["0", "rtsp://host/a?b", "demo", None, tmp_path / "gone"]) == set()
    assert datasets_behind([tmp_path]) == set()
