"""The commands that the README and the messages name can be typed."""

import re
import subprocess
from pathlib import Path

from collector.cli import PROGRAM as COLLECTOR
from curation.cli import PROGRAM as CURATE
from detector.cli import PROGRAM as DETECTOR
from trainer.cli import PROGRAM as TRAINER

ROOT = Path(__file__).parents[1]


def tracked_texts() -> dict[str, str]:
    """The README, the contributing page, and the code of the four packages."""
    names = subprocess.run(
        ["git", "ls-files", "*.md", "collector", "curation", "trainer", "detector"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return {
        name: (ROOT / name).read_text()
        for name in names
        if name.endswith((".md", ".py")) and name != "CHANGELOG.md"
    }


def test_nobody_is_sent_to_an_index_that_does_not_have_the_package() -> None:
    texts = tracked_texts()
    assert len(texts) > 100
    sent = re.compile(r"maskage\[|pip install [^`\n]*\bmaskage\b")
    assert {name: found for name, text in texts.items() if (found := sent.findall(text))} == {}


def test_the_quick_start_clones_before_it_names_a_file_of_the_clone() -> None:
    readme = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)
    assert re.fullmatch(r"git clone ADDRESS (\S+) && cd \1\n", blocks[0])
    assert "requirements.lock" in blocks[1]
    assert "ADDRESS" in readme[: readme.index(blocks[0])]


PROGRAMS = {program.name: program for program in (COLLECTOR, CURATE, TRAINER, DETECTOR)}
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def test_every_command_and_option_that_the_readme_names_is_there() -> None:
    readme = (ROOT / "README.md").read_text()
    named = re.findall(rf"`({'|'.join(PROGRAMS)}) ([a-z][a-z-]*)", readme)
    assert len(named) > 10
    missing = [words for words in named if words[1] not in PROGRAMS[words[0]].named]
    assert missing == []
    parsers = [program.make_parser() for program in PROGRAMS.values()]
    parsers += [
        command.make_parser(program.name)
        for program in PROGRAMS.values()
        for command in program.commands
    ]
    known = {option for parser in parsers for option in OPTION.findall(parser.format_help())}
    known.add("--data-binary")  # An option of curl.
    assert set(OPTION.findall(readme)) - known == set()
