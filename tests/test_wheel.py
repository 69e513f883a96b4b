"""What is built and installed is whole: four packages, recipes, styles, commands."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("maskage", "collector", "curation", "trainer", "detector")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), "."],
        cwd=ROOT,
        check=True,
    )
    (found,) = folder.glob("*.whl")
    return found


@pytest.mark.slow
def test_the_wheel_carries_every_file_of_the_packages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    files = subprocess.run(
        ["git", "ls-files", *PACKAGES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert len(files) > 40
    assert set(files) <= packed
    assert {name.split("/")[0] for name in packed if ".dist-info" not in name} == set(PACKAGES)
    # Without it, type checkers ignore the types of a package.
    assert {f"{package}/py.typed" for package in PACKAGES} <= packed


@pytest.mark.slow
def test_the_wheel_runs_from_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)]
    subprocess.run(install, cwd=tmp_path, check=True)
    # The libraries, but not the checkout, are lent by the environment the tests run in; a full
    # install with its downloads is what the README's first command does.
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    libraries = (path for path in sys.path if Path(path).name == "site-packages")
    (site / "lent.pth").write_text("\n".join(libraries))
    data = tmp_path / "data"
    (data / "mask_old").mkdir(parents=True)
    for command in (
        ["collector", "status", str(data)],
        ["curate", "--help"],
        ["trainer", "fit", "--help"],
        ["detector", "run", "--help"],
    ):
        executable = tmp_path / "venv" / "bin" / command[0]
        done = subprocess.run(
            [str(executable), *command[1:]], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    script = (
        "from maskage.pages.page import render_page; from trainer.pages.charts import draw_bar; "
        "assert 'class=\"part\"' in draw_bar(0.5, (0.4, 0.6)); print(render_page('', '', [], [])); "
        "import maskage, trainer.recipe; print(trainer.recipe.__file__); help(maskage)"
    )
    shown = subprocess.run(
        [str(python), "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "color-scheme:light dark" in shown.stdout
    assert str(tmp_path / "venv") in shown.stdout
    assert "class FaceClassifier" in shown.stdout
