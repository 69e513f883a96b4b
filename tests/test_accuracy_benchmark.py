"""Pure parts of the accuracy benchmark; the trainings themselves are those of the commands."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.trainer.accuracy import check, digest_cases, make_parser
from benchmarks.trainer.unseen.beside import CANNOT_TELL, compare, judge
from benchmarks.trainer.unseen.cases import Case, age_bucket, list_misworn, read_rows
from benchmarks.trainer.unseen.folds import folds_by_group, folds_by_source
from benchmarks.trainer.unseen.misworn import (
    count_tied,
    give_ages,
    list_unseen,
    list_worst,
    summarise_misworn,
)
from benchmarks.trainer.unseen.scores import (
    describe_trainings,
    measure_trust,
    pair_answers,
    score,
    score_sources,
    summarise,
)
from benchmarks.trainer.unseen.trainings import (
    Answered,
    Facts,
    WorkFolder,
    read_all_answered,
    require_same_question,
)
from maskage.classes.ready_made import MASK_AGE
from maskage.errors import DatasetError
from maskage.formats.run.predictions_file import Prediction, write_predictions
from maskage.records import Photo

ROOT = Path(__file__).parents[1]
MASK_OLD, MASK_YOUNG, NOMASK_OLD, NOMASK_YOUNG = MASK_AGE.labels
FACTS = Facts({"head": 2.0, "total": 100.0}, 1.5, 4.25, 60, 0, "abc1234", "2026-11-27", "two cores")


def face(number: int, label: str, group: int | None = None, source: str = "studio") -> Case:
    path = f"{label}/{number}.jpg"
    state = "worn" if label.startswith("mask") else ""
    group = number if group is None else group
    return Case(Photo(path, label), group, source, "by eye", Path("faces") / path, state)


def misworn(number: int, kind: str, group: int | None = None) -> Case:
    path = f"{NOMASK_YOUNG}/misworn_{number}.jpg"
    group = 1000 + number if group is None else group
    file = Path("misworn") / f"{number}.jpg"
    return Case(Photo(path, NOMASK_YOUNG), group, "misworn", "unknown", file, kind, True)


def answer(case: Case, predicted: str, confidence: float = 0.97) -> Prediction:
    rest = (1 - confidence) / 3
    chances = tuple(confidence if label == predicted else rest for label in MASK_AGE.labels)
    return Prediction(case.key, case.photo.label, predicted, chances)


def answered(given: Sequence[tuple[Case, str]], seed: int = 1337, fold: str = "fold-1") -> Answered:
    return Answered(fold, seed, tuple(answer(case, label) for case, label in given), FACTS)


def test_folds_by_group_hold_out_each_photo_once_and_never_part_a_group() -> None:
    cases = [face(n, MASK_AGE.labels[n % 4], group=n // 3) for n in range(120)]
    cases += [misworn(n, ("chin", "eyes")[n // 5 % 2]) for n in range(100)]
    folds = folds_by_group(cases, 5)
    assert sorted(at for fold in folds for at in fold.held_out) == list(range(220))
    for fold in folds:
        splits = {(cases[at].group, split) for at, split in fold.split_of.items()}
        assert len(splits) == len({group for group, _ in splits})
        assert {split for _, split in splits} == {"train", "val", "test"}
        # Misworn photos are divided alike by how the mask is worn.
        kinds = Counter(cases[at].state for at in fold.held_out if cases[at].is_misworn_photo)
        assert kinds == {"chin": 10, "eyes": 10}


def test_a_source_left_out_takes_its_groups_out_of_the_others() -> None:
    cases = [face(n, MASK_AGE.labels[n % 4], source="ab"[n % 2]) for n in range(40)]
    tied = replace(cases[1], group=cases[0].group)
    folds = folds_by_source([cases[0], tied, *cases[2:]])
    assert [fold.name for fold in folds] == ["without-a", "without-b"]
    assert folds[0].held_out == tuple(range(0, 40, 2))
    assert 1 not in folds[0].split_of
    assert len(folds[0].split_of) == 19


def test_the_last_number_of_an_age_gives_its_range() -> None:
    assert age_bucket("26") == "19 to 35"
    assert age_bucket("19-35 by eye") == "19 to 35"
    assert age_bucket("71") == "60 and more"
    assert age_bucket("") == "by eye"


def test_a_photo_answered_for_two_seeds_counts_as_often_as_it_is_right() -> None:
    one, two = face(1, MASK_OLD), face(2, NOMASK_YOUNG)
    first = answered([(one, MASK_OLD), (two, NOMASK_YOUNG)])
    second = answered([(one, MASK_YOUNG), (two, NOMASK_YOUNG)], seed=1)
    found = score(pair_answers([one, two], [first, second]))
    assert (found["photos"], found["classes"]) == (2, {MASK_OLD: 1, NOMASK_YOUNG: 1})
    assert found["accuracy"] == found["age_accuracy"] == 0.75
    assert found["mask_accuracy"] == 1.0
    # Wilson's interval is that of two photos, not of four answers: 2 of 2.
    assert found["accuracy_interval"] == [0.3424, 1.0]


def test_each_seed_and_each_fold_is_scored_by_itself() -> None:
    one, two = face(1, MASK_OLD), face(2, NOMASK_YOUNG)
    trainings = [
        answered([(one, MASK_OLD)], 1337, "fold-1"),
        answered([(two, MASK_YOUNG)], 1337, "fold-2"),
        answered([(one, MASK_OLD)], 1, "fold-1"),
        answered([(two, NOMASK_YOUNG)], 1, "fold-2"),
    ]
    found = summarise([one, two], trainings, is_by_source=False)
    assert found["by_seed"]["1337"]["accuracy"] == 0.5
    assert found["by_seed"]["1"]["accuracy"] == 1.0
    assert found["folds"]["fold-2"]["mask_accuracy"] == 0.5
    assert found["folds"]["fold-2"]["seeds"] == [1337, 1]
    assert found["surest_mistakes"][0]["path"] == two.key
    assert "sources" not in found
    facts = describe_trainings(trainings)
    assert (facts["trainings"], facts["seeds"]) == (4, [1, 1337])
    assert (facts["fit_seconds"], facts["milliseconds_a_face"]) == (100.0, 4.25)


def test_sources_count_alike_and_the_few_photos_of_others_not() -> None:
    large = [face(n, MASK_OLD, source="large") for n in range(8)]
    small = [face(10 + n, MASK_OLD, source="small") for n in range(2)]
    other = face(20, MASK_OLD, source="other")
    given = [(case, MASK_OLD) for case in (*large, small[0])]
    given += [(small[1], MASK_YOUNG), (other, NOMASK_YOUNG)]
    found = score_sources(pair_answers([*large, *small, other], [answered(given)]))
    assert found["names"] == ["large", "small"]
    assert found["accuracy"] == 0.75
    assert found["mask_accuracy"] == 1.0
    low, high = found["accuracy_interval_by_group"]
    assert (low, high) == (0.5, 1.0)


def test_trust_is_the_mean_over_networks_each_with_its_own_threshold() -> None:
    cases = [face(n, MASK_OLD) for n in range(4)]
    sure = Answered("a", 1, tuple(answer(case, MASK_OLD, 1.0) for case in cases), FACTS)
    last = answer(cases[3], MASK_YOUNG, 0.7)
    less = Answered("a", 2, (*(answer(case, MASK_OLD, 1.0) for case in cases[:3]), last), FACTS)
    assert measure_trust(pair_answers(cases, [sure])) == {
        "calibration_error": 0.0,
        "share_at_99": 1.0,
    }
    # Of the second network 3 of 4 can be answered; one answer of four is 0.7 too sure.
    found = measure_trust(pair_answers(cases, [sure, less]))
    assert found == {"calibration_error": 0.0875, "share_at_99": 0.875}


def test_misworn_photos_are_scored_by_their_mask_alone() -> None:
    nose, chin, eyes = misworn(1, "nose_out"), misworn(2, "chin"), misworn(3, "eyes")
    worn = face(1, MASK_OLD)
    unclear = replace(face(2, MASK_OLD), state="unclear")
    own = replace(face(3, NOMASK_OLD), state="chin")
    given = [(nose, MASK_YOUNG), (chin, NOMASK_OLD), (eyes, NOMASK_YOUNG)]
    given += [(worn, MASK_YOUNG), (unclear, NOMASK_OLD), (own, NOMASK_OLD)]
    cases = [case for case, _ in given]
    found = summarise_misworn(pair_answers(cases, [answered(given)]))
    assert (found["photos"], found["told_as_none"]) == (3, 0.6667)
    assert {kind: each["told_as_none"] for kind, each in found["kinds"].items()} == {
        "chin": 1.0,
        "eyes": 1.0,
        "nose_out": 0.0,
    }
    assert found["rare_kinds"]["photos"] == 1
    # A mask of which the eye cannot say how it is worn does not count as worn.
    assert (found["worn"]["photos"], found["worn"]["told_as_worn"]) == (1, 1.0)
    assert found["misworn_among_faces"]["photos"] == 1
    assert [each["path"] for each in found["worst"]] == ["misworn/1.jpg"]
    assert list_worst(pair_answers([chin], [answered([(chin, NOMASK_OLD)])])) == []


def test_the_age_of_a_misworn_photo_is_what_a_network_sees_that_never_saw_it() -> None:
    old, young, tied = misworn(1, "chin"), misworn(2, "chin"), misworn(3, "chin", group=1)
    person = face(1, MASK_YOUNG)
    plain = answered([(old, MASK_OLD), (young, NOMASK_YOUNG), (person, MASK_OLD)])
    aged = give_ages([person, old, young, tied], plain)
    labels = [case.photo.label for case in aged]
    assert labels == [MASK_YOUNG, NOMASK_OLD, NOMASK_YOUNG, NOMASK_YOUNG]
    assert aged[1].photo.path == f"{NOMASK_OLD}/misworn_1.jpg"
    assert aged[1].key == old.key
    assert count_tied(aged) == 1


def test_what_is_tied_to_a_photo_that_was_trained_on_is_not_predicted(tmp_path: Path) -> None:
    trained, tested = face(1, MASK_OLD), face(2, MASK_OLD)
    twin = face(3, MASK_OLD, group=trained.group)
    (tmp_path / "plan.csv").write_text(
        "path,label,kept,reason,group,split,parent\n"
        f"{trained.key},mask_old,1,,g1,train,\n{tested.key},mask_old,1,,g2,test,\n"
        f"{twin.key},mask_old,1,,g3,test,\n"
    )
    tied, free = misworn(1, "chin", group=trained.group), misworn(2, "chin")
    cases = [trained, tested, twin, tied, free]
    assert list_unseen(cases, tmp_path) == [tested, free]


def test_a_table_of_misworn_photos_that_are_missing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,group,kind\n1.jpg,a,chin\n")
    with pytest.raises(DatasetError, match="1 of its 1 photos are missing"):
        list_misworn(tmp_path, read_rows(tmp_path / "labels.csv"))


def keep(work: Path, training: Answered) -> None:
    folder = work / "answers" / f"{training.fold}-seed-{training.seed}"
    folder.mkdir(parents=True)
    write_predictions(folder, training.answers, MASK_AGE.labels)
    (folder / "facts.json").write_text(json.dumps(vars(training.facts)))


def never(_: Path) -> None:
    raise AssertionError("a set was made again")


def test_a_training_that_was_answered_is_not_done_again(tmp_path: Path) -> None:
    cases = [face(1, MASK_OLD), face(2, MASK_YOUNG)]
    keep(tmp_path, answered([(cases[0], MASK_OLD), (cases[1], MASK_OLD)]))
    found = WorkFolder(tmp_path).answer("fold-1", 1337, never, cases)
    assert [each.predicted for each in found.answers] == [MASK_OLD, MASK_OLD]
    assert found.facts == FACTS
    assert [each.seed for each in read_all_answered(tmp_path)] == [1337]
    with pytest.raises(AssertionError, match="made again"):
        WorkFolder(tmp_path).answer("fold-1", 1337, never, [*cases, face(3, MASK_OLD)])
    (tmp_path / "answers" / "fold-1-seed-1337" / "facts.json").unlink()
    with pytest.raises(AssertionError, match="made again"):
        WorkFolder(tmp_path).answer("fold-1", 1337, never, cases)


def test_another_question_is_not_continued_in_a_folder(tmp_path: Path) -> None:
    require_same_question(tmp_path, {"folds": 5})
    require_same_question(tmp_path, {"folds": 5})
    with pytest.raises(SystemExit, match="something else was measured"):
        require_same_question(tmp_path, {"folds": 4})


def test_a_corrected_label_is_another_question() -> None:
    one, two = face(1, MASK_OLD), face(2, MASK_OLD)
    assert digest_cases([one, two]) == digest_cases([one, two])
    assert digest_cases([one, two]) != digest_cases([one, replace(two, state="unclear")])
    assert digest_cases([one, two]) != digest_cases([one, face(2, MASK_YOUNG)])


def test_a_difference_is_paired_over_the_photos_that_both_answered(tmp_path: Path) -> None:
    cases = [face(n, MASK_OLD) for n in range(40)]
    keep(tmp_path, answered([(case, MASK_YOUNG) for case in cases[:30]]))
    ours = [answered([(case, MASK_OLD) for case in cases[:-40:-1]])]
    found = compare(cases, ours, tmp_path / "ours", tmp_path, is_by_source=True)
    assert found["photos"] == 29
    assert found["accuracy"] == {
        "difference": 1.0,
        "interval_by_group": [1.0, 1.0],
        "verdict": "better",
    }
    assert found["mask_accuracy"]["verdict"] == CANNOT_TELL
    assert found["sources"]["age_accuracy"]["difference"] == 1.0
    assert found["seconds_ratio"] == 1.0


def test_one_photo_more_cannot_tell_two_recipes_apart(tmp_path: Path) -> None:
    cases = [face(n, MASK_OLD) for n in range(40)]
    keep(tmp_path, answered([(case, MASK_OLD) for case in cases]))
    ours = [answered([(case, MASK_YOUNG if n < 1 else MASK_OLD) for n, case in enumerate(cases)])]
    found = compare(cases, ours, tmp_path / "ours", tmp_path, is_by_source=False)
    assert found["accuracy"]["difference"] == -0.025
    assert found["accuracy"]["verdict"] == CANNOT_TELL
    assert [judge(0.1, 0.2), judge(-0.2, -0.1), judge(-0.1, 0.0)] == [
        "better",
        "worse",
        CANNOT_TELL,
    ]


def test_kept_answers_are_judged_by_the_labels_of_now(tmp_path: Path) -> None:
    before = [face(n, MASK_OLD) for n in range(10)]
    keep(tmp_path, answered([(case, NOMASK_OLD) for case in before]))
    now = [replace(case, photo=replace(case.photo, label=NOMASK_OLD)) for case in before]
    ours = [answered([(case, NOMASK_OLD) for case in now])]
    found = compare(now, ours, tmp_path / "ours", tmp_path, is_by_source=False)
    assert found["mask_accuracy"]["difference"] == 0.0


def test_answers_to_other_photos_give_no_comparison(tmp_path: Path) -> None:
    case = face(1, MASK_OLD)
    keep(tmp_path, answered([(face(2, MASK_OLD), MASK_OLD)]))
    ours = [answered([(case, MASK_OLD)])]
    assert compare([case], ours, tmp_path / "ours", tmp_path, is_by_source=False) == {}


@pytest.mark.parametrize(
    "words",
    [
        ["--folds", "2"],
        ["--seeds", "0"],
        ["--misworn-folds"],
        ["--misworn", "m", "--by-source"],
        ["--page", "missing.md", "--title", "Folds"],
        ["--beside", "nowhere"],
        ["--sheet", "sheet.jpg"],
        ["--misworn", "m", "--only", "fold-1"],
    ],
    ids=" ".join,
)
def test_what_does_not_fit_together_is_refused_before_anything_trains(words: list[str]) -> None:
    parser = make_parser()
    with pytest.raises(SystemExit) as refused:
        check(parser, parser.parse_args(["faces", *words]))
    assert refused.value.code == 2


@pytest.mark.slow
def test_a_fold_is_trained_by_the_commands_and_its_answers_are_kept(
    four_folders: Callable[..., Path], tmp_path: Path
) -> None:
    faces = four_folders(12)
    tiny = ["--weights", "none", "--alpha", "0.35", "--image-size", "32", "--epochs", "1"]
    words = [sys.executable, str(ROOT / "benchmarks/trainer/accuracy.py"), str(faces)]
    words += ["--folds", "3", "--only", "fold-2", "--work", str(tmp_path / "work"), "--", *tiny]

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(words, capture_output=True, text=True, env=dict(os.environ))

    first = run()
    assert first.returncode == 0, first.stderr
    figures = json.loads(first.stdout)
    assert list(figures["folds"]) == ["fold-2"]
    assert figures["photos"] == 16
    assert figures["missed"] == []
    assert figures["trainings"]["fit_seconds"] > 0
    again = run()
    assert json.loads(again.stdout) == figures
    assert "epoch" not in again.stderr
