"""Who agreed, until when, and how the command records and lists it."""

import json
from datetime import date
from pathlib import Path

import pytest

from collector.cli import main
from maskage.dataset.consent import Consent, describe_state, parse_day
from maskage.dataset.manifest.reading import read_consents
from maskage.dataset.privacy.command import CONSENT, run_consent
from maskage.dataset.store import PhotoStore
from maskage.errors import UsageError
from tests.conftest import draw_noise

TODAY = date(2026, 11, 24)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One photo each of p01, p02 and nobody named."""
    with PhotoStore(tmp_path / "data") as store:
        for seed, subject in enumerate(("p01", "p02", None)):
            store.add(draw_noise(seed), "mask_old", subject=subject)
    return tmp_path / "data"


def consent(data: Path, *words: str) -> int:
    parser = CONSENT.make_parser("collector consent")
    return run_consent(parser.parse_args([*words, "--data", str(data)]), TODAY)


def refusal(data: Path, *words: str) -> str:
    with pytest.raises(UsageError) as caught:
        consent(data, *words)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "expires", "state"),
    [
        ("2026-11-24", None, "valid"),
        ("2026-01-01", "2026-11-24", "ends soon, on 2026-11-24"),
        ("2026-01-01", "2026-12-23", "ends soon, on 2026-12-23"),
        ("2026-01-01", "2026-12-24", "valid to 2026-12-24"),
        ("2026-01-01", "2026-11-23", "ended on 2026-11-23"),
        ("2026-11-25", None, "begins on 2026-11-25"),
        ("2026-11-25", "2027-11-25", "begins on 2026-11-25"),
    ],
)
def test_a_consent_says_how_it_stands(given: str, expires: str | None, state: str) -> None:
    until = parse_day(expires) if expires else None
    assert describe_state(Consent("p07", "form 12", parse_day(given), until), TODAY) == state
    assert describe_state(None, TODAY) == "none on record"


def test_a_consent_is_recorded(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--basis", " form 12 ", "--on", "2026-11-20", "--expires", "2027-11-24"]
    assert consent(data, "p07", *words, "--minor", "--guardian", "mother") == 0
    assert read_consents(data) == {
        "p07": Consent("p07", "form 12", date(2026, 11, 20), date(2027, 11, 24), True, "mother")
    }
    told = capsys.readouterr().out
    assert "form 12, from 2026-11-20 to 2027-11-24; a minor, mother agreed" in told
    assert "replaces" not in told


def test_it_holds_from_today_without_end_and_self_is_a_basis(data: Path) -> None:
    assert consent(data, "p07", "--self") == 0
    assert read_consents(data)["p07"] == Consent("p07", "self", TODAY)


def test_a_new_consent_says_what_it_replaces(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    consent(data, "p07", "--self")
    capsys.readouterr()
    consent(data, "p07", "--basis", "form 13")
    assert "It replaces: self, from 2026-11-24, with no end." in capsys.readouterr().out
    consent(data, "p07", "--basis", "form 14", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["basis"], told["replaced"]["basis"]) == ("form 14", "form 13")
    assert read_consents(data)["p07"].basis == "form 14"


def test_a_dataset_is_made_for_the_first_consent(tmp_path: Path) -> None:
    assert consent(tmp_path / "new", "p07", "--self") == 0
    assert list(read_consents(tmp_path / "new")) == ["p07"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["p07", "--basis", "form 12", "--expires", "2026-11-23"], "--expires 2026-11-23 is past"),
        (["p07", "--self", "--on", "24.11.2026"], "A day is written as 2026-11-24"),
        (["p07", "--self", "--expires", "2027-02-30"], "A day is written as 2026-11-24"),
        (["p07", "--self", "--on", "2027-01-02", "--expires", "2027-01-01"], "after it begins"),
        (["p07", "--self", "--minor"], "say who agreed"),
        (["p07", "--self", "--guardian", "mother"], "Add --minor"),
        (["p07", "--basis", "  "], "what it rests on"),
        (["p07", "--minor", "--guardian", "mother"], "--basis 'form 12', or --self"),
        (["p07", "--basis", "form 12", "--self"], "not allowed with"),
        (["Anna M.", "--self"], "A subject is a pseudonym"),
        (["--self"], "Say whose consent"),
    ],
)
def test_what_is_no_consent_is_refused(data: Path, words: list[str], told: str) -> None:
    assert told in refusal(data, *words)
    assert read_consents(data) == {}


def test_everybody_is_listed_with_their_state(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with PhotoStore(data) as store:
        store.record_consent(Consent("p01", "form 1", date(2025, 1, 1), date(2025, 12, 31)))
        store.record_consent(Consent("p03", "form 3", TODAY, None, True, "father"))
    assert consent(data) == 0
    assert capsys.readouterr().out.splitlines() == [
        "subject  photos  state                basis   since       agreed by",
        "p01           1  ended on 2025-12-31  form 1  2025-01-01  p01",
        "p02           1  none on record       -       -           -",
        "p03           0  valid                form 3  2026-11-24  father (minor)",
        "1 photo of nobody named",
        "Next: collector consent p01 --basis 'form 12', or collector forget p01",
    ]


def test_the_list_is_one_json_object(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    consent(data, "p01", "--self")
    capsys.readouterr()
    assert consent(data, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["photos_of_nobody_named"] == 1
    assert told["subjects"] == [
        {
            "subject": "p01",
            "holds": True,
            "state": "valid",
            "basis": "self",
            "given_on": "2026-11-24",
            "expires_on": None,
            "is_minor": False,
            "guardian": None,
            "photos": 1,
        },
        {
            "subject": "p02",
            "holds": False,
            "state": "none on record",
            "basis": None,
            "photos": 1,
        },
    ]


def test_one_subject_can_be_looked_up(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert consent(data, "p02") == 0
    told = capsys.readouterr().out
    assert "p02" in told
    assert "p01" not in told
    assert main(["consent", "p99", "--data", str(data)]) == 4
    assert "collector consent p99 --basis" in capsys.readouterr().err


def test_listing_needs_no_lock_and_recording_does(data: Path) -> None:
    with PhotoStore(data):
        assert main(["consent", "--data", str(data)]) == 0
        assert main(["consent", "p07", "--self", "--data", str(data)]) == 75


def test_listing_makes_no_dataset(tmp_path: Path) -> None:
    assert main(["consent", "--data", str(tmp_path / "nowhere")]) == 4
    assert list(tmp_path.iterdir()) == []
