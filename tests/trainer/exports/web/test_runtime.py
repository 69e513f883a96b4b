"""The runtime is fetched once, checked, and each way to miss it has a sentence and exit code 5."""

from pathlib import Path

import pytest

from maskage.errors import EnvironmentProblemError, MissingDownloadError
from maskage.system.paths import CACHE_VARIABLE
from trainer.cli import main
from trainer.exports.web.browser import VARIABLE, FolderServer, find_browser
from trainer.exports.web.runtime import (
    FILE_NAME,
    PACKAGE,
    REGISTRY_VARIABLE,
    SCRIPT,
    WASM,
    obtain_runtime,
    unpack_runtime,
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def make_registry(root: Path, data: bytes) -> Path:
    """Write a registry with this file as the package."""
    folder = root / "registry" / PACKAGE / "-"
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_bytes(data)
    return root / "registry"


def test_it_is_fetched_from_the_named_registry_once(
    package: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = make_registry(tmp_path, package.read_bytes())
    with FolderServer(registry) as server:
        monkeypatch.setenv(REGISTRY_VARIABLE, server.url)
        obtain_runtime()
    assert [path.name for path in cache.iterdir()] == [FILE_NAME]
    # Nothing answers there any more.
    files = unpack_runtime(obtain_runtime())
    assert files[WASM].startswith(b"\0asm")
    assert b"InferenceSession" in files[SCRIPT]


def test_another_content_is_thrown_away(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FolderServer(make_registry(tmp_path, b"not the package")) as server:
        monkeypatch.setenv(REGISTRY_VARIABLE, server.url)
        with pytest.raises(MissingDownloadError, match="its sha512 is another") as told:
            obtain_runtime()
    assert told.value.exit_code == 5
    assert not cache.exists()


def test_without_a_network_it_says_how_to_bring_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REGISTRY_VARIABLE, "http://127.0.0.1:9/")
    with pytest.raises(MissingDownloadError, match=r"npm pack onnxruntime-web@.*--runtime"):
        obtain_runtime()
    monkeypatch.setenv(REGISTRY_VARIABLE, "file:///etc")
    with pytest.raises(EnvironmentProblemError, match="no address of a registry"):
        obtain_runtime()


def test_a_named_copy_must_be_the_package(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblemError, match="cannot be read"):
        obtain_runtime(tmp_path / "absent.tgz")
    (tmp_path / "other.tgz").write_bytes(b"other")
    with pytest.raises(EnvironmentProblemError, match=r"not onnxruntime-web 1\."):
        obtain_runtime(tmp_path / "other.tgz")


def test_a_browser_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/no/such/browser")
    with pytest.raises(EnvironmentProblemError, match="no program is there"):
        find_browser()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("trainer.exports.web.browser._PLACES", ())
    with pytest.raises(EnvironmentProblemError, match="apt install chromium"):
        find_browser()


def test_the_runtime_is_only_for_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "x", "--to", "onnx", "--runtime", "x.tgz"]) == 2
    assert "only for --to web" in capsys.readouterr().err
