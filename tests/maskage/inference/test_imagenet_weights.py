import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from maskage.errors import MissingDownloadError
from maskage.inference.imagenet_weights import fetch_weights, keras_cache

DATA = bytes(range(256)) * 3000
NAME = "some_weights.h5"


@contextmanager
def serving(length: int = len(DATA)) -> Iterator[str]:
    """A host that has one file, and says that it is so long; gives the address of its folder."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != f"/weights/{NAME}":
                self.send_error(404, "Not here")
                return
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(DATA)

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/weights"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


@pytest.mark.parametrize(
    "digest", [None, hashlib.md5(DATA).hexdigest(), hashlib.sha256(DATA).hexdigest()]
)
def test_a_file_is_kept_where_keras_looks_for_it(
    digest: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving() as url:
        assert fetch_weights(NAME, url, digest) == keras_cache() / NAME
    assert (keras_cache() / NAME).read_bytes() == DATA
    assert [path.name for path in keras_cache().iterdir()] == [NAME]
    out, err = capsys.readouterr()
    assert out == ""
    first, last = err.splitlines()
    assert first.startswith(f"downloading {NAME} 262/768 kB")
    assert last.startswith(f"downloading {NAME} 768/768 kB")


@pytest.mark.parametrize(
    ("name", "digest", "length", "reason"),
    [
        (NAME, "0" * 32, len(DATA), "not the one expected, by its md5 digest"),
        (NAME, "0" * 64, len(DATA), "not the one expected, by its sha256 digest"),
        (NAME, None, len(DATA) + 1, "broke off after 768,000 of 768,001 bytes"),
        ("other.h5", None, len(DATA), "404"),
    ],
)
def test_what_is_not_the_whole_file_is_not_kept(
    name: str, digest: str | None, length: int, reason: str
) -> None:
    with serving(length) as url, pytest.raises(MissingDownloadError, match=reason) as told:
        fetch_weights(name, url, digest)
    assert f"{url}/{name}" in str(told.value)
    assert list(keras_cache().iterdir()) == []


def test_a_host_that_is_not_there_is_a_reason(home: Path) -> None:
    with pytest.raises(MissingDownloadError, match="refused"):
        fetch_weights(NAME, "http://127.0.0.1:9/weights")
