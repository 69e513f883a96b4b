"""One grammar for the commands of all four programs."""

import argparse
import re
from importlib.metadata import version
from pathlib import Path

import pytest

from collector.cli import PROGRAM as COLLECTOR
from curation.cli import PROGRAM as CURATE
from detector.cli import PROGRAM as DETECTOR
from maskage.commands.parser import CommandParser, find_nearest
from maskage.commands.program import Command, Program
from trainer.cli import PROGRAM as TRAINER

PROGRAMS = {program.name: program for program in (COLLECTOR, CURATE, TRAINER, DETECTOR)}
COMMANDS = [(program, command) for program in PROGRAMS.values() for command in program.commands]
NAMES = [f"{program.name} {command.name}" for program, command in COMMANDS]


def run(line: str) -> int:
    name, *words = line.split()
    return PROGRAMS[name].main(words)


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("trainer fitt", "Did you mean `trainer fit`?"),
        ("trainer eval", "Did you mean `trainer evaluate`?"),
        ("trainer help", "Did you mean `trainer --help`?"),
        ("detector lvie --source demo", "Did you mean `detector live`?"),
        ("detector nothing", "The commands are live, serve, run"),
        ("detector", "The commands are live, serve, run"),
        ("trainer --runs x fit", "Write `trainer fit ...`"),
        ("collector --json status", "Write `collector status ...`"),
        ("collector staus", "Did you mean `collector status`?"),
        ("collector cam", "Did you mean `collector cameras`?"),
        ("collector self", "Did you mean `collector --self`?"),
        ("collector --source demo status", "Write `collector status ...`. It has no --source."),
        ("collector --target 5 status", "Write `collector status --target 5`."),
        ("collector --data status", "A folder of this name is written ./status"),
        ("collector --target=5 import", "Write `collector import ...`. It has no --target."),
        ("collector --target five", "--target is a whole number; found 'five'."),
        ("collector import x --every soon", "--every is a number; found 'soon'."),
        ("collector status --target", "--target needs a value after it."),
        ("collector classes --rename a", "--rename needs 2 values after it."),
        ("collector status --json=yes", "--json takes no value; found 'yes'."),
        ("collector status one two", "Not understood here: two."),
        ("collector import", "Missing: SOURCE."),
        ("collector init --classes mask-stat", "Did you mean mask-state?"),
        ("collector init --class mask", "Did you mean --classes?"),
        ("collector clases", "Did you mean `collector classes`?"),
        ("collector --source demo reveiw", "Did you mean `collector review`?"),
        ("curate dedupe", "Did you mean `curate --dedupe`?"),
        ("curate --dedup", "Did you mean --dedupe?"),
        ("curate -dedupe", "Did you mean --dedupe?"),
        ("curate \N{EM DASH}dedupe", "Did you mean --dedupe?"),
        ("curate --balance=drp", "Did you mean drop?"),
        ("trainer fit --epoch 3", "Did you mean --epochs?"),
        ("collector --sourc demo", "Did you mean --source?"),
        ("collector photos --sourc demo", "Did you mean --source?"),
        ("collector --gate stict", "Did you mean strict?"),
        ("collector import x --label maskold", "Did you mean mask_old?"),
        ("detector run clip.mp4 --jsn out", "Did you mean --json?"),
        ("detector live --sorce=rtsp://me:secret@host/", "Did you mean --source?"),
        ("trainer export --to onx", "Did you mean onnx?"),
        ("trainer fit --heads factor", "Did you mean factors?"),
        ("trainer fit --model mobilenet2", "Did you mean mobilenetv2?"),
        ("curate --allow blured", "Did you mean blurred?"),
        ("collector rtsp://host/stream", "Give it as --source"),
        ("collector demo", "Give it as --source"),
        ("collector 1", "Give it as --source"),
    ],
)
def test_a_near_miss_is_answered_and_makes_nothing(
    inside: Path, capsys: pytest.CaptureFixture[str], line: str, meant: str
) -> None:
    assert run(line) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert meant in captured.err
    assert "secret" not in captured.err
    assert list(inside.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "collector ./status",
        "collector ./demo",
        "collector capture ./1",
        "collector x",
        "collector data",
    ],
)
def test_a_dataset_may_have_any_name(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    # 5: there is no terminal here, which is what the screen asks for first.
    assert run(line) == 5
    assert "Did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize(("program", "command"), COMMANDS, ids=NAMES)
def test_each_command_has_the_same_grammar(
    program: Program, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [] if not program.named else [command.name]
    for option, shown in (
        ("--help", f"usage: {' '.join([program.name, *words])}"),
        ("--version", f"{program.name} {version('maskage')}\n"),
    ):
        with pytest.raises(SystemExit) as end:
            program.main([*words, option])
        assert end.value.code == 0
        assert capsys.readouterr().out.startswith(shown)
    assert program.main([*words, "--no-such-thing"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[1].startswith(f"Usage: {' '.join([program.name, *words])}")
    assert lines[2] == f"See `{' '.join([program.name, *words])} --help`."
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
def test_the_help_of_a_program_lists_its_commands_in_80_columns(
    program: Program, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        program.main(["--help"])
    shown = capsys.readouterr().out
    for name, command in program.named.items():
        assert re.search(rf"^  {name} +{re.escape(command.help)}$", shown, re.MULTILINE)
    assert max(map(len, shown.splitlines())) <= 80


def test_options_of_one_name_say_the_same_in_all_commands() -> None:
    found: dict[str, set[tuple[object, ...]]] = {}
    for program, command in COMMANDS:
        for action in command.make_parser(program.name)._actions:
            for option in action.option_strings:
                kind = (action.metavar, action.nargs, action.type)
                found.setdefault(option, set()).add(kind)
    # These mean two things, as the design has them: a file or results on stdout; seconds or
    # frames; a recipe or a run; a day or a pattern; what a run may start from; classes
    # by any names or ready-made ones only; a dataset or a run to begin with.
    meant_twice = {"--json", "--every", "--model", "--on", "--weights", "--subject", "--source",
                   "--data", "--classes", "--from"}  # fmt: skip
    assert {option for option, kinds in found.items() if len(kinds) > 1} == meant_twice


@pytest.mark.parametrize(
    ("words", "data", "subject"),
    [
        ("p07", "data", "p07"),
        ("p07 other", "other", "p07"),
        ("p07 --data other", "other", "p07"),
        ("--data other p07", "other", "p07"),
        ("--data=other --subject=p07", "other", "p07"),
        ("--subject p07 other", "other", "p07"),
        ("p07 --yes other", "other", "p07"),
        ("--yes -- p07 -other", "-other", "p07"),
    ],
)
def test_a_word_may_be_given_as_an_option(words: str, data: str, subject: str) -> None:
    forget = COLLECTOR.named["forget"].make_parser("collector forget")
    arguments = forget.parse_args(words.split())
    assert (arguments.data, arguments.subject) == (Path(data), subject)


def test_a_word_that_is_given_twice_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("collector status one --data two") == 2
    assert "one" in capsys.readouterr().err


def test_each_command_that_reads_a_dataset_takes_data_as_an_option() -> None:
    without = {
        f"{program.name} {command.name}"
        for program, command in COMMANDS
        if "--data" not in command.make_parser(program.name).option_names
    }
    assert without == {"collector cameras", "trainer fit", "trainer search", "trainer compare",
                       "trainer leak", "trainer cross-validate", "detector run", "detector bench",
                       "detector demo"}  # fmt: skip


def test_options_are_written_in_full() -> None:
    parser = CommandParser(prog="thing")
    parser.add_argument("--epochs")
    assert parser.parse_args(["--epochs", "3"]) == argparse.Namespace(epochs="3")
    with pytest.raises(Exception, match="Did you mean --epochs"):
        parser.parse_args(["--epo", "3"])


@pytest.mark.parametrize(
    ("word", "nearest"),
    [("fitt", "fit"), ("EVALUATE", "evaluate"), ("eva", "evaluate"), ("e", None), ("xyz", None)],
)
def test_the_nearest_word_is_found(word: str, nearest: str | None) -> None:
    assert find_nearest(word, ["fit", "evaluate", "export"]) == nearest


def test_nothing_is_near_where_nothing_is_known() -> None:
    assert find_nearest("fit", []) is None
