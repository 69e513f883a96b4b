"""Text from outside acts on no terminal, is no formula, and comes back from every file."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskage.console import say, show
from maskage.errors import UsageError
from maskage.outside_text import (
    LONGEST_STEM,
    ShownOutput,
    cell_to_path,
    join_lines,
    path_to_cell,
    path_to_text,
    portable_name,
    shown_lines,
    shown_text,
    text_to_path,
)

NAMES = st.binary(max_size=12).map(os.fsdecode) | st.text(
    st.sampled_from("\\x5cfe8\udcfc=+-@./\t\r\nü"), max_size=12
)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name.jpg", "plain name.jpg"),
        ("ümlaut 名 e\u0301 \U0001f600.jpg", "ümlaut 名 e\u0301 \U0001f600.jpg"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),  # a joiner that Persian needs
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\x9b31mb", "a\\x9b31mb"),
        ("a\nerror: b\rc\td", "a\\nerror: b\\rc\\td"),
        ("gpj.\u202eexe", "gpj.\\u202eexe"),
        ("a\u2028b\u2066c\u200bd\ufeff", "a\\u2028b\\u2066c\\u200bd\\ufeff"),
        ("f\udcfcr.jpg", "f\\xfcr.jpg"),
        ("half of a pair: \ud83d", "half of a pair: \\ud83d"),
    ],
)
def test_a_terminal_is_sent_nothing_that_it_would_obey(name: str, shown: str) -> None:
    assert shown_text(name) == shown
    assert shown_text(shown) == shown


def test_lines_of_ours_stay_lines_and_those_of_a_name_do_not_become_any() -> None:
    assert join_lines(["one", "a\nforged", "three"]) == "one\na\\nforged\nthree"
    assert shown_lines("a\tb\n\x1b[2J") == "a\tb\n\\x1b[2J"


@pytest.mark.parametrize(
    ("path", "cell"),
    [
        ("f\udcfcr.jpg", "f\\xfcr.jpg"),
        ("+1.jpg", "./+1.jpg"),
        ("@SUM(1).jpg", "./@SUM(1).jpg"),
        ("=1+1", "./=1+1"),
        ("-rf", "./-rf"),
        ("\ttab", "./\ttab"),
        ("mask_old/=1+1.jpg", "mask_old/=1+1.jpg"),
        ("back\\slash.jpg", "back\\slash.jpg"),
        ("a\\xfc.jpg", "a\\x5cxfc.jpg"),  # these four letters, not the byte
        ("\\x5cxfc", "\\x5cx5cxfc"),
        ("", ""),
    ],
)
def test_a_cell_is_no_formula_and_gives_its_path_back(path: str, cell: str) -> None:
    assert path_to_cell(path) == cell
    assert cell_to_path(cell) == path


@given(NAMES)
def test_every_name_comes_back(name: str) -> None:
    text = path_to_text(name)
    assert text.encode("utf-8").decode("utf-8") == text
    assert text_to_path(text) == name
    if not name.startswith("./"):  # no path that pathlib made begins so
        assert cell_to_path(path_to_cell(name)) == name


def test_a_new_file_gets_a_name_that_anybody_can_type() -> None:
    assert portable_name("f\udcfcr") == "f_r"
    assert portable_name("a\x1b[31m\nb") == "a_[31m_b"
    assert portable_name("ümlaut 名") == "ümlaut 名"
    assert portable_name("ü" * 200) == "ü" * (LONGEST_STEM // 2)


def test_a_message_keeps_its_own_lines_only() -> None:
    fault = UsageError("No folder a\nerror: forged\x1b[2J.", "See --help.")
    assert str(fault) == "No folder a\\nerror: forged\\x1b[2J.\nSee --help."


def test_what_is_said_and_shown_is_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\nb", "c")
    show("d\x1b[31m", "e")
    found = capsys.readouterr()
    assert found.err == "a\\nb\nc\n"
    assert found.out == "d\\x1b[31m\ne\n"


def test_a_stream_for_people_passes_nothing_on_whoever_writes() -> None:
    inner = io.StringIO()
    stream = cast(TextIO, ShownOutput(inner))
    print("name \x1b]0;title\x07", file=stream)
    stream.writelines(["a\x9b\n", "b\n"])
    assert inner.getvalue() == "name \\x1b]0;title\\x07\na\\x9b\nb\n"
    assert not stream.isatty()


def test_a_warning_of_a_library_is_shown_as_it_is(tmp_path: Path) -> None:
    code = (
        "import warnings; from maskage.console import run_command\n"
        "def warn(): warnings.warn('\\x1b]0;title\\x07'); print('\\x1b[2J'); return 0\n"
        "raise SystemExit(run_command(warn))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert b"\x1b" not in done.stdout + done.stderr
    assert b"\\x1b]0;title" in done.stderr
