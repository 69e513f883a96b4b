import json
from dataclasses import replace
from pathlib import Path

import pytest

from collector.cli import main
from maskage.classes.ready_made import MASK_AGE, READY_MADE, plain_scheme
from maskage.classes.scheme import Scheme
from maskage.commands.text_table import drawn_width
from maskage.dataset.edits import flagging, trashing
from maskage.dataset.status.advice import Advice, give_advice
from maskage.dataset.status.dataset_status import ClassStatus, SessionStatus, summarise
from maskage.dataset.store import PhotoStore
from maskage.records import Photo, Quality, Suggestion
from tests.conftest import draw_noise

GOOD = Quality(120.0, 128.0, 0.0, 200)
DARK = Quality(120.0, 30.0, 0.0, 200)
SOFT_AND_SMALL = Quality(10.0, 128.0, 0.0, 40)
MASK_OLD, MASK_YOUNG, NOMASK_OLD, NOMASK_YOUNG = MASK_AGE.labels


def counts(*photos: int) -> dict[str, int]:
    return dict(zip(MASK_AGE.labels, photos, strict=True))


def advise(
    subjects: dict[str, dict[str, int]],
    *,
    unnamed: tuple[int, int, int, int] = (0, 0, 0, 0),
    faults: dict[str, tuple[int, dict[str, int]]] | None = None,
    sessions_of: dict[str, int] | None = None,
    target: int = 1,
    doubtful: int = 0,
) -> list[Advice]:
    """Advice on these people, who all sat twice, and on nothing that is not named here."""
    total = {
        label: sum(of[label] for of in subjects.values()) + unnamed[index]
        for index, label in enumerate(MASK_AGE.labels)
    }
    sat = dict.fromkeys(subjects, 2) if sessions_of is None else sessions_of
    return give_advice(
        MASK_AGE,
        counts=total,
        faults=faults or {},
        subjects=subjects,
        sessions_of=sat,
        target=target,
        doubtful=doubtful,
    )


def people(number: int, of_each: dict[str, int]) -> dict[str, dict[str, int]]:
    return {f"p{index:02d}": dict(of_each) for index in range(number)}


def texts(advice: list[Advice]) -> list[str]:
    return [one.text for one in advice]


TEN = people(10, counts(5, 5, 5, 5))


def test_nothing_is_wanted_of_a_full_dataset_of_many_people() -> None:
    assert advise(TEN, target=50) == []


def test_an_empty_dataset_wants_people_and_every_class() -> None:
    assert texts(advise({}, target=735)) == [
        "at least 3 people, named with --subject (found 0): a test is honest only on people the "
        "training never saw",
        "735 more of mask, old (key 1): none yet, and a class without photos cannot be curated",
        "735 more of mask, young (key 2): none yet, and a class without photos cannot be curated",
        "735 more of no mask, old (key 3): none yet, and a class without photos cannot be curated",
        "735 more of no mask, young (key 4): none yet, and a class without photos cannot be "
        "curated",
    ]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (
            2,
            "at least 3 people, named with --subject (found 2): a test is honest only on people "
            "the training never saw",
        ),
        (
            9,
            "more people: 9 so far; with 10 or more the test is on more than one of them",
        ),
    ],
)
def test_too_few_people_are_told(number: int, text: str) -> None:
    assert texts(advise(people(number, counts(5, 5, 5, 5)))) == [text]


def test_a_person_on_one_side_of_the_mask_is_asked_to_the_other() -> None:
    subjects = TEN | {"p07": counts(0, 0, 0, 40), "p08": counts(6, 6, 0, 0)}
    assert advise(subjects) == [
        Advice(
            "one_sided",
            "p07 has 40 photos without a mask and none with one: shoot mask, young (key 2)",
            MASK_YOUNG,
            ("p07",),
        ),
        Advice(
            "one_sided",
            "p08 has 12 photos with a mask and none without: "
            "shoot no mask, old (key 3) or no mask, young (key 4)",
            None,
            ("p08",),
        ),
        Advice(
            "one_person",
            "p07 makes up 50% of no mask, young: shoot other people there",
            NOMASK_YOUNG,
            ("p07",),
        ),
    ]


def test_a_person_who_has_only_begun_is_not_one_sided() -> None:
    assert advise(TEN | {"p07": counts(0, 0, 0, 9)}) == []


def test_of_many_one_sided_people_three_are_named_and_the_rest_in_one_line() -> None:
    told = advise(people(12, counts(0, 10, 0, 0)) | TEN | {"p11": counts(5, 5, 5, 5)})
    assert [one.kind for one in told] == ["one_sided"]
    told = advise(TEN | {f"q{n}": counts(0, 0, 0, 10) for n in range(5)})
    assert texts(told)[2:] == [
        "q2 has 10 photos without a mask and none with one: shoot mask, young (key 2)",
        "q3, q4: only with a mask or only without one; shoot the other side too",
    ]


def test_the_smallest_class_comes_first_with_whom_to_ask() -> None:
    subjects = TEN | {"p03": counts(1, 5, 5, 5), "p04": counts(0, 5, 5, 5)}
    assert advise(subjects, target=50) == [
        Advice(
            "class",
            "9 more of mask, old (key 1): ask p04, p03, p00",
            MASK_OLD,
            ("p04", "p03", "p00"),
        )
    ]


def test_a_class_far_behind_the_largest_says_how_far() -> None:
    # Nobody here is old, so nobody can be asked for old faces.
    subjects = people(10, counts(0, 10, 0, 10))
    assert texts(advise(subjects, unnamed=(49, 0, 50, 0), target=60))[:2] == [
        "11 more of mask, old (key 1): 49 against 100 of mask, young",
        "10 more of no mask, old (key 3)",
    ]


def test_photos_that_name_nobody_are_counted() -> None:
    assert texts(advise(TEN, unnamed=(3, 0, 0, 0))) == [
        "3 of 203 photos name nobody: use --subject, so that nobody ends up in training and test"
    ]


def test_one_person_is_not_too_much_of_a_class_at_a_quarter_or_among_four() -> None:
    assert advise(people(9, counts(5, 5, 5, 5)) | {"p99": counts(15, 5, 5, 5)}) == []
    told = advise(people(9, counts(5, 5, 5, 5)) | {"p99": counts(16, 5, 5, 5)})
    assert texts(told) == ["p99 makes up 26% of mask, old: shoot other people there"]
    assert [one.kind for one in advise(people(4, counts(5, 5, 5, 5)))] == ["people"]


def test_people_who_sat_once_are_asked_again() -> None:
    sat = {**dict.fromkeys(TEN, 2), "p01": 1}
    assert texts(advise(TEN, sessions_of=sat)) == [
        "p01 sat only once: another day, other light, other clothes"
    ]
    assert texts(advise(TEN, sessions_of=dict.fromkeys(TEN, 1))) == [
        "p00, p01, p02 and 7 more sat only once each: another day, other light, other clothes"
    ]
    # Photos that were brought in without a session say nothing of it.
    assert advise(TEN, sessions_of=dict.fromkeys(TEN, 0)) == []


def test_many_weak_photos_of_one_kind_come_with_a_hint() -> None:
    faults = {
        MASK_OLD: (50, {"too dark": 11, "too bright": 10}),
        MASK_YOUNG: (50, {"hold still": 25, "move closer": 30}),
        NOMASK_OLD: (9, {"too dark": 9}),
        NOMASK_YOUNG: (50, {"too much contrast": 12}),
    }
    assert texts(advise(TEN, faults=faults)) == [
        "60% of mask, young are too small: come closer to the camera",
        "50% of mask, young are soft: hold still, clean the lens, give more light",
        "24% of no mask, young are lit too hard: softer light: no lamp or window behind or "
        "beside the face",
        "22% of mask, old are too dark: more light, from the front",
    ]


def test_doubtful_photos_are_to_be_looked_at() -> None:
    assert texts(advise(TEN, doubtful=4)) == [
        "before that, look at what is flagged or disputed (4): `collector review`"
    ]


def test_figures_of_a_class() -> None:
    photos = [
        Photo("mask_old/a.jpg", MASK_OLD, quality=GOOD, is_flagged=True),
        Photo("mask_old/b.jpg", MASK_OLD, quality=DARK, suggestion=Suggestion(NOMASK_OLD, 0.9)),
        Photo("mask_old/c.jpg", MASK_OLD, quality=SOFT_AND_SMALL, is_flagged=True),
        Photo("mask_old/d.jpg", MASK_OLD, suggestion=Suggestion(MASK_OLD, 0.9)),
    ]
    status = summarise(Path("data"), MASK_AGE, photos, [MASK_OLD, NOMASK_OLD, MASK_OLD], 735)
    assert status.classes[MASK_OLD] == ClassStatus(
        photos=4,
        measured=3,
        sharpness=120.0,
        brightness=128.0,
        faults={"hold still": 1, "move closer": 1, "too dark": 1},
        weak=2,
        flagged=2,
        disputed=1,
        doubtful=3,
        trashed=2,
    )
    assert status.classes[MASK_YOUNG] == ClassStatus()
    assert status.classes[NOMASK_OLD] == ClassStatus(trashed=1)
    assert status.classes[MASK_OLD].weak_share == pytest.approx(2 / 3)


def photo(number: int, label: str, subject: str | None, session: str | None, at: str) -> Photo:
    return Photo(
        f"{label}/{number:03d}.jpg",
        label,
        subject=subject,
        session=session,
        taken_at=f"2026-11-{at}:00.000+00:00" if at else None,
        quality=GOOD,
    )


PHOTOS = [
    photo(1, MASK_OLD, "anna", "s1", "20T10:00"),
    photo(2, NOMASK_OLD, "anna", "s1", "20T10:05"),
    photo(3, MASK_OLD, "anna", "s2", "22T09:00"),
    photo(4, MASK_YOUNG, "ben", "s2", "22T09:01"),
    photo(5, MASK_YOUNG, None, "import", ""),
    photo(6, MASK_YOUNG, None, None, ""),
]


def test_sessions_come_newest_first() -> None:
    status = summarise(Path("data"), MASK_AGE, PHOTOS, [], 735)
    assert status.sessions == (
        SessionStatus(
            "s2",
            ("anna", "ben"),
            2,
            "2026-11-22T09:00:00.000+00:00",
            "2026-11-22T09:01:00.000+00:00",
        ),
        SessionStatus(
            "s1",
            ("anna",),
            2,
            "2026-11-20T10:00:00.000+00:00",
            "2026-11-20T10:05:00.000+00:00",
        ),
        SessionStatus("import", (), 1, None, None),
    )
    assert status.sessions_of == {"anna": 2, "ben": 1}


def test_the_table_shows_it_all() -> None:
    told = str(summarise(Path("data"), MASK_AGE, PHOTOS, [NOMASK_OLD], 4))
    assert (
        told
        == """\
data: 2 subjects, 3 sessions, target 4 a class
                   mask_old    mask_young    nomask_old  nomask_young         total      sessions
photos                    2             3             1             0             6
of the target           50%           75%           25%            0%
sharpness               120           120           120             -
brightness              128           128           128             -
weak                     0%            0%            0%             -
flagged                   0             0             0             0             0
disputed                  0             0             0             0             0
in the trash              0             0             1             0             1
anna                      2             0             1             0             3             2
ben                       0             1             0             0             1             1
session s2: 2026-11-22 09:00, anna, ben, 2 photos
session s1: 2026-11-20 10:00, anna, 2 photos
session import: time unknown, nobody named, 1 photo
next: at least 3 people, named with --subject (found 2): a test is honest only on people the \
training never saw
next: 4 more of no mask, young (key 4): none yet, and a class without photos cannot be curated; \
ask ben
next: 3 more of no mask, old (key 3): 1 against 3 of mask, young; ask anna
next: 2 more of mask, old (key 1): ask anna
next: 1 more of mask, young (key 2): ask ben
next: 2 of 6 photos name nobody: use --subject, so that nobody ends up in training and test
next: ben sat only once: another day, other light, other clothes"""
    )


def test_of_many_sessions_the_newest_are_shown_and_all_are_in_json() -> None:
    photos = [photo(n, MASK_OLD, "anna", f"s{n:02d}", f"{n:02d}T10:00") for n in range(1, 13)]
    status = summarise(Path("data"), MASK_AGE, photos, [], 735)
    told = [line for line in str(status).splitlines() if "session " in line or "older" in line]
    assert told[0] == "session s12: 2026-11-12 10:00, anna, 1 photo"
    assert told[8:] == ["and 4 older sessions (see --json)"]
    sessions = status.to_json()["session_list"]
    assert isinstance(sessions, list)
    assert [one["session"] for one in sessions] == [f"s{n:02d}" for n in range(12, 0, -1)]


def test_an_empty_dataset_has_a_table_too() -> None:
    told = str(summarise(Path("data"), MASK_AGE, [], [], 735)).splitlines()
    assert told[0] == "data: 0 subjects, 0 sessions, target 735 a class"
    assert told[4].split() == ["sharpness", "-", "-", "-", "-"]


def test_the_command_reads_a_dataset_and_keeps_the_keys_that_others_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with PhotoStore(tmp_path / "data") as store:
        saved = [
            store.add(draw_noise(number), MASK_OLD, subject="anna", session="s1", quality=DARK)
            for number in range(3)
        ]
        store.apply([trashing(saved[0])])
        store.apply([flagging(saved[1], is_flagged=True)])
        store.suggest([(saved[2], Suggestion(NOMASK_OLD, 0.8))])
    assert main(["status", str(tmp_path / "data"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {key: told[key] for key in ("counts", "subjects", "sessions", "target")} == {
        "counts": {"mask_old": 2, "mask_young": 0, "nomask_old": 0, "nomask_young": 0},
        "subjects": {"anna": {"mask_old": 2, "mask_young": 0, "nomask_old": 0, "nomask_young": 0}},
        "sessions": 1,
        "target": 735,
    }
    assert told["dataset"] == str(tmp_path / "data")
    assert told["next"] == [one["text"] for one in told["advice"]]
    assert told["sessions_of"] == {"anna": 1}
    assert told["classes"]["mask_old"] == {
        "photos": 2,
        "measured": 2,
        "sharpness": 120.0,
        "brightness": 30.0,
        "faults": {"too dark": 2},
        "weak": 2,
        "weak_share": 1.0,
        "flagged": 1,
        "disputed": 1,
        "doubtful": 2,
        "trashed": 1,
    }
    assert main(["status", str(tmp_path / "data")]) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / 'data'}: 1 subject, 1 session")


@pytest.mark.parametrize("target", ["0", "-5"])
def test_a_target_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    assert main(["status", str(tmp_path), "--target", target]) == 2
    assert "--target is at least 1" in capsys.readouterr().err


def test_a_lost_manifest_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mask_old").mkdir()
    (tmp_path / "mask_old" / "a.jpg").write_bytes(b"not looked at")
    assert main(["status", str(tmp_path)]) == 0
    assert f"collector doctor {tmp_path} --fix" in capsys.readouterr().err


def seen(scheme: Scheme, **subjects: dict[str, int]) -> list[Photo]:
    """Photos of these people in two sessions each."""
    assert all(label in scheme for counts in subjects.values() for label in counts)
    return [
        Photo(f"{label}/{who}{n}.jpg", label, subject=who, session=f"{who}{n % 2}", quality=GOOD)
        for who, counts in subjects.items()
        for label, count in counts.items()
        for n in range(count)
    ]


def test_the_advice_names_the_values_of_any_factor() -> None:
    scheme = READY_MADE["mask-state"]
    even = {"worn": 10, "misworn": 10, "none": 10}
    photos = seen(scheme, anna={"none": 40}, ben=even, cleo=even, dora=even, eva=even)
    status = summarise(Path("data"), scheme, photos, [], 10)
    assert texts(status.advice)[0] == (
        "anna has only photos with mask = none (40): shoot mask worn (key 1) or mask misworn "
        "(key 2)"
    )
    others = {name: {"none": 30} for name in ("fay", "gus", "hal", "ida")}
    status = summarise(Path("data"), scheme, photos + seen(scheme, **others), [], 10)
    assert texts(status.advice)[3] == "hal, ida: only one side; shoot the other classes too"


def test_the_advice_on_plain_classes_names_the_classes() -> None:
    scheme = plain_scheme(["helmet", "cap", "hat", "hood", "bare"])
    photos = seen(scheme, anna={"helmet": 40}, ben={"helmet": 2, "cap": 2})
    told = texts(summarise(Path("data"), scheme, photos, [], 4).advice)
    assert told[1] == (
        "anna has only photos of helmet (40): shoot cap (key 2), hat (key 3), hood (key 4) or 1 "
        "more"
    )
    assert told[2] == (
        "4 more of hat (key 3): none yet, and a class without photos cannot be curated; ask anna, "
        "ben"
    )


def test_a_target_of_its_own_goes_before_that_of_the_command() -> None:
    plain = plain_scheme(["helmet", "bare"])
    scheme = Scheme((replace(plain["helmet"], target=4), plain["bare"]))
    photos = seen(scheme, anna={"helmet": 2, "bare": 2})
    status = summarise(Path("data"), scheme, photos, [], 10)
    lines = str(status).splitlines()
    assert lines[0] == "data: 1 subject, 2 sessions, target 10 a class without its own"
    assert [line.split() for line in lines[2:5]] == [
        ["photos", "2", "2", "4"],
        ["target", "4", "10"],
        ["of", "the", "target", "50%", "20%"],
    ]
    assert "next: 2 more of helmet (key 1): ask anna" in lines
    assert "next: 8 more of bare (key 2): ask anna" in lines
    assert status.to_json()["targets"] == {"helmet": 4, "bare": 10}


def test_json_counts_the_photos_of_each_factor() -> None:
    status = summarise(Path("data"), MASK_AGE, PHOTOS, [], 735)
    assert status.to_json()["factors"] == {
        "mask": {"worn": 5, "none": 1},
        "age": {"old": 3, "young": 3},
    }
    plain = plain_scheme(["a", "b"])
    assert summarise(Path("data"), plain, [], [], 735).to_json()["factors"] == {}


ODD = ["日本語の名前", "x" * 150, "CON", "=1+1", "total", "مرحبا", "\N{GRINNING FACE}", "", "path"]


@pytest.mark.parametrize(
    "folders",
    [
        ["helmet", "no_helmet"],
        ["Helmet with a visor", "bare"],
        ["a", "b", "c", "d", "e"],
        [name or "a b" for name in ODD],
        [f"class_{number}" for number in range(12)],
        [f"class_{number}" for number in range(40)],
        [f"{'very ' * number}long" for number in range(30)],
    ],
)
def test_the_tables_of_any_classes_fit_80_columns(folders: list[str]) -> None:
    scheme = plain_scheme(folders)
    everywhere = dict.fromkeys(folders, 12)
    photos = [
        replace(photo, is_flagged=True, suggestion=Suggestion(folders[-1], 0.9))
        for photo in seen(scheme, anna=everywhere, **{"somebody-with-a-long-name": everywhere})
    ]
    told = str(summarise(Path("data"), scheme, photos, folders, 735)).splitlines()
    table = [line for line in told if not line.startswith(("next: ", "session "))]
    assert max(map(drawn_width, table)) <= 80
    # Nothing is lost but the end of a long name: each class has its number of photos.
    if len(folders) > 4:
        rows = told[2 : 2 + len(folders)]
        assert [row[-5:].split() for row in rows] == [["1"]] * len(folders)
        assert all(" 24 " in row for row in rows)
        assert f"{24 * len(folders)}" in told[2 + len(folders)]


def test_classes_in_rows_show_only_what_there_is() -> None:
    scheme = plain_scheme([f"class_{number}" for number in range(5)])
    photos = seen(scheme, anna={"class_0": 3, "class_3": 12})
    assert str(summarise(Path("data"), scheme, photos, [], 20)).splitlines()[:10] == [
        "data: 1 subject, 2 sessions, target 20 a class",
        "             key  photos  target  sharp  bright  weak",
        "class_0      1         3     15%    120     128    0%",
        "class_1      2         0      0%      -       -     -",
        "class_2      3         0      0%      -       -     -",
        "class_3      4        12     60%    120     128    0%",
        "class_4      5         0      0%      -       -     -",
        "all classes           15",
        "      photos  sessions  classes",
        "anna      15         2   2 of 5  class_3: 12, class_0: 3",
    ]


def test_of_many_classes_below_the_target_the_smallest_are_listed() -> None:
    scheme = plain_scheme([f"class_{number}" for number in range(40)])
    status = summarise(Path("data"), scheme, [], [], 20)
    told = [line for line in str(status).splitlines() if "class" in line and "next: " in line]
    assert told[0].startswith("next: 20 more of class 0 (key 1): none yet")
    assert told[6:] == ["next: 34 more classes are below the target (see --json)"]
    assert sum(one.kind == "class" for one in status.advice) == 40


def test_status_reads_the_classes_of_the_dataset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "data"
    assert main(["init", str(root), "--classes", "helmet,no helmet", "--target", "5"]) == 0
    with PhotoStore(root) as store:
        trashed = [store.add(draw_noise(number), "no helmet") for number in range(3)]
        store.apply([trashing(trashed[0])])
    capsys.readouterr()
    assert main(["status", str(root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["counts"] == {"helmet": 0, "no helmet": 2}
    assert told["targets"] == {"helmet": 5, "no helmet": 5}
    assert told["next"][1].startswith("5 more of helmet (key 1): none yet")
