"""The commands that the README and the messages name can be typed."""

import re
import subprocess
from pathlib import Path

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
