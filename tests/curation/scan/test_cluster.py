"""`curate --scheduler` against a real scheduler and real workers, processes on loopback.

What a worker is to suffer it brings along in a preload, a script that Dask runs at its start.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.cli import main
from curation.scan import cluster
from curation.scan.cluster import map_on_cluster
from curation.scan.job import Job, scan_jobs
from curation.scan.scanning import CHUNK
from curation.scan.worker_answer import WorkerAnswer, answer_jobs, require_like_here, versions_here
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.photo_scan import FileScan
from maskage.errors import EnvironmentProblemError
from maskage.pictures.images import encode_jpeg

distributed = pytest.importorskip("distributed")

ROOT = Path(__file__).parents[3]
PHOTOS = 48
"""Of each class: twelve chunks in all, some for each worker."""

STARTED_S = 30.0
"""A scheduler or worker is up after 1 to 3 s, on a busy machine."""

DIES_AT_ITS_THIRD_CHUNK = """
    import os, signal
    from pathlib import Path
    from distributed import WorkerPlugin

    class Mortal(WorkerPlugin):
        begun = 0

        def transition(self, key, start, finish, **kwargs):
            if finish == "executing":
                self.begun += 1
                if self.begun == 3:
                    Path(NOTE).write_text(key)
                    os.kill(os.getpid(), signal.SIGKILL)

    async def dask_setup(worker):
        await worker.plugin_add(Mortal(), name="mortal")
"""
LACKS_THE_PACKAGE = """
    import sys
    sys.modules["curation"] = sys.modules["curation.scan.cluster"] = None
"""
IS_OF_ANOTHER_VERSION = """
    import curation.scan.worker_answer
    curation.scan.worker_answer.VERSION = 99
"""
IS_SLOW = """
    import time
    from pathlib import Path
    import curation.scan.job
    from maskage.dataset.photo_scan import scan_file

    def look_at_slowly(*arguments):
        Path(NOTE).touch()
        time.sleep(0.03)
        return scan_file(*arguments)

    curation.scan.job.scan_file = look_at_slowly
"""


class Scheduler:
    """A scheduler in a process of its own, on a free port of loopback.

    Args:
        folder: For its files and those of its workers.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        file = folder / "scheduler.json"
        arguments = ["--port", "0", "--dashboard-address", "127.0.0.1:0"]
        self.process = self._start(
            "dask_scheduler", *arguments, "--no-dashboard", "--scheduler-file", str(file)
        )
        deadline_s = time.monotonic() + STARTED_S
        while not file.exists() or not file.read_text().endswith("}"):
            assert self.process.poll() is None, self.told()
            assert time.monotonic() < deadline_s, self.told()
            time.sleep(0.02)
        self.address: str = json.loads(file.read_text())["address"]

    @contextlib.contextmanager
    def workers(self, *preloads: str, before: Sequence[str] = ()) -> Iterator[list[Path]]:
        """Workers of one thread each, registered; gone afterwards.

        Args:
            preloads: What each suffers, or "" for a sound one; its NOTE is a path.
            before: The command that runs the workers.

        Yields:
            The NOTE of each.
        """
        notes, processes = [], []
        try:
            for preload in preloads:
                number = len(list(self.folder.iterdir()))
                note, script = self.folder / f"note{number}", self.folder / f"preload{number}.py"
                script.write_text(f"NOTE = {str(note)!r}\n{textwrap.dedent(preload)}")
                arguments = [self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
                arguments += ["--local-directory", str(self.folder), "--preload", str(script)]
                processes.append(self._start("dask_worker", *arguments, before=before))
                notes.append(note)
            with self.client() as client:
                client.wait_for_workers(len(preloads), timeout=STARTED_S)
            yield notes
        finally:
            for process in processes:
                process.kill()
                process.wait(STARTED_S)
            self._wait_until_alone()

    @contextlib.contextmanager
    def client(self) -> Iterator[Any]:
        with distributed.Client(self.address, set_as_default=False) as client:
            yield client

    def count_tasks(self) -> int:
        """Tasks that the scheduler still knows."""
        with self.client() as client:
            found: int = client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks))
        return found

    def _wait_until_alone(self) -> None:
        """The next test is not to meet the workers of this one."""
        if self.process.poll() is not None:
            return
        deadline_s = time.monotonic() + STARTED_S
        with self.client() as client:
            while client.nthreads():
                assert time.monotonic() < deadline_s, self.told()
                time.sleep(0.02)

    def told(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(STARTED_S)

    def _start(
        self, module: str, *arguments: str, before: Sequence[str] = ()
    ) -> subprocess.Popen[bytes]:
        number = len(list(self.folder.glob("*.log")))
        words = [sys.executable, "-m", f"distributed.cli.{module}", "--host", "127.0.0.1"]
        with (self.folder / f"{number:03d} {module}.log").open("wb") as log:
            return subprocess.Popen(
                [*before, *words, *arguments],
                cwd=self.folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    started = Scheduler(tmp_path_factory.mktemp("cluster"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of small, sharp, distinct pictures, and one that is cut short."""
    root = tmp_path_factory.mktemp("dataset") / "photos"
    noise = np.random.default_rng(1)
    for label in MASK_AGE.labels:
        (root / label).mkdir(parents=True)
        for number in range(PHOTOS):
            squares = noise.integers(30, 226, (16, 16, 3), dtype=np.uint8)
            data = encode_jpeg(squares.repeat(8, axis=0).repeat(8, axis=1))
            (root / label / f"{number:03d}.jpg").write_bytes(data)
    (root / "mask_old" / "cut.jpg").write_bytes(data[: len(data) // 2])
    return root


@pytest.fixture
def curate(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Curates the photos with further arguments, each time as if nobody had looked at them yet."""

    def run(*arguments: str, out: Path = tmp_path / "curated") -> int:
        monkeypatch.setenv("MASKAGE_CACHE", str(tmp_path / f"cache {time.monotonic_ns()}"))
        return main([str(photos), "--out", str(out), *arguments])

    return run


def jobs_of(root: Path) -> list[list[Job]]:
    jobs = [Job(str(path), path.name) for path in sorted(root.rglob("*.jpg"))]
    return [jobs[start : start + CHUNK] for start in range(0, len(jobs), CHUNK)]


def fail_at_a_name(jobs: Sequence[Job]) -> list[FileScan]:
    raise ValueError(f"no good: {jobs[0].name}")


@pytest.mark.slow
def test_threads_processes_and_a_cluster_make_the_same_plan(
    curate: Callable[..., int], scheduler: Scheduler, tmp_path: Path
) -> None:
    threads = set(threading.enumerate())
    with scheduler.workers("", ""):
        plans = []
        for arguments in ([], ["--processes"], ["--scheduler", scheduler.address]):
            assert curate(*arguments) == 0
            plans.append((tmp_path / "curated" / "plan.csv").read_bytes())
    assert plans[0].count(b",1,") >= PHOTOS
    assert b"mask_old/cut.jpg,mask_old,0," in plans[0]
    assert plans[1] == plans[0]
    assert plans[2] == plans[0]
    assert set(threading.enumerate()) == threads


@pytest.mark.slow
def test_a_worker_that_is_killed_at_work_changes_nothing(
    curate: Callable[..., int], scheduler: Scheduler, tmp_path: Path
) -> None:
    assert curate(out=tmp_path / "here") == 0
    with scheduler.workers(DIES_AT_ITS_THIRD_CHUNK, "") as (last_chunk, _):
        assert curate("--scheduler", scheduler.address) == 0
    # It had done two chunks, and held a third.
    assert "look-" in last_chunk.read_text()
    plans = [tmp_path / name / "plan.csv" for name in ("here", "curated")]
    assert plans[0].read_bytes() == plans[1].read_bytes()


@pytest.mark.slow
def test_when_all_workers_are_lost_it_ends_in_a_message(
    curate: Callable[..., int],
    scheduler: Scheduler,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "WORKERLESS_S", 1.0)
    with scheduler.workers(DIES_AT_ITS_THIRD_CHUNK) as (last_chunk,):
        assert curate("--scheduler", scheduler.address) == 5
    assert last_chunk.exists()
    told = capsys.readouterr().err
    assert f"{scheduler.address} has had no worker for 1 s" in told
    assert f"dask worker {scheduler.address}" in told
    assert curate("--scheduler", scheduler.address) == 5
    assert not (tmp_path / "curated").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preload", "message"),
    [
        (LACKS_THE_PACKAGE, "cannot run this version of maskage (ModuleNotFoundError"),
        (IS_OF_ANOTHER_VERSION, "curate's way of looking 99 instead of"),
    ],
    ids=["none", "another"],
)
def test_a_worker_without_this_version_of_the_package_is_refused(
    curate: Callable[..., int],
    scheduler: Scheduler,
    capsys: pytest.CaptureFixture[str],
    preload: str,
    message: str,
) -> None:
    with scheduler.workers(preload):
        assert curate("--scheduler", scheduler.address) == 5
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_a_worker_that_does_not_see_the_dataset_sets_nothing_aside(
    curate: Callable[..., int],
    scheduler: Scheduler,
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Another machine, as far as files go: its own mounts, an empty one over the dataset.
    hidden = f'mount -t tmpfs none "{photos}" && exec "$@"'
    before = ["unshare", "--mount", "--map-root-user", "sh", "-c", hidden, "sh"]
    if not shutil.which("unshare") or subprocess.run([*before, "true"]).returncode != 0:
        pytest.skip("needs to be allowed a mount namespace")
    with scheduler.workers("", before=before):
        assert curate("--scheduler", scheduler.address) == 5
    told = capsys.readouterr().err
    assert "does not see this dataset" in told
    assert "cannot be read (No such file or directory), but not here" in told
    assert not (tmp_path / "curated").exists()


@pytest.mark.slow
def test_ctrl_c_ends_it_quietly_and_the_scheduler_forgets_it(
    photos: Path, scheduler: Scheduler, tmp_path: Path
) -> None:
    arguments = [str(photos), "--out", str(tmp_path / "out"), "--scheduler", scheduler.address]
    with scheduler.workers(IS_SLOW) as (begun,):
        run = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "curation.cli", *arguments],
            cwd=ROOT,
            env=os.environ | {"MASKAGE_CACHE": str(tmp_path / "cache")},
            stderr=subprocess.PIPE,
        )
        while run.poll() is None and not begun.exists():
            time.sleep(0.01)
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=20)
        assert told == b"stopped.\n"
        assert run.returncode == 130
        deadline_s = time.monotonic() + 5
        # A chunk that is being looked at is looked at to its end.
        while scheduler.count_tasks() and time.monotonic() < deadline_s:
            time.sleep(0.1)
        assert scheduler.count_tasks() == 0


@pytest.mark.slow
def test_chunks_are_handed_over_as_they_are_asked_for_and_faults_are_told(
    photos: Path, scheduler: Scheduler
) -> None:
    class Counted(list[list[Job]]):
        asked = 0

        def __iter__(self) -> Iterator[list[Job]]:
            for chunk in super().__iter__():
                self.asked += 1
                yield chunk

    chunks = Counted(jobs_of(photos))
    with scheduler.workers(""):
        seen = map_on_cluster(scheduler.address, scan_jobs, chunks)
        assert chunks.asked == 0
        assert next(seen) == scan_jobs(chunks[0])
        assert chunks.asked == cluster.CHUNKS_A_THREAD < len(chunks)
        assert list(seen) == [scan_jobs(chunk) for chunk in chunks[1:]]
        failing = map_on_cluster(scheduler.address, fail_at_a_name, chunks)
        with pytest.raises(EnvironmentProblemError, match=r"ValueError: no good: 000\.jpg"):
            next(failing)


@pytest.mark.slow
def test_a_scheduler_that_ends_meanwhile_is_told(photos: Path, tmp_path: Path) -> None:
    brief = Scheduler(tmp_path)
    with brief.workers(IS_SLOW):
        seen = map_on_cluster(brief.address, scan_jobs, jobs_of(photos))
        next(seen)
        brief.stop()
        with pytest.raises(EnvironmentProblemError, match="was lost"):
            list(seen)


def test_where_no_scheduler_listens_it_says_so_at_once(
    curate: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{bound.getsockname()[1]}"
        began_s = time.monotonic()
        assert curate("--scheduler", address) == 5
    assert time.monotonic() - began_s < cluster.CONNECT_S
    told = capsys.readouterr().err
    assert f"No Dask scheduler at {address} (Connection refused)" in told
    assert "dask scheduler" in told


def test_what_listens_but_does_not_answer_is_given_up(
    curate: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cluster, "CONNECT_S", 1.0)
    threads = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert curate("--scheduler", address) == 5
    assert f"What listens at {address} is no Dask scheduler" in capsys.readouterr().err
    assert set(threading.enumerate()) == threads


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost",
        "localhost:8786",
        "tcp://host",
        "tcp://host:0",
        "tcp://host:99999",
        "tcp://a:b:8786",
        "tcp://[::1:8786",
        "http://host:8786",
    ],
)
def test_what_is_no_address_is_a_usage_fault(
    curate: Callable[..., int], capsys: pytest.CaptureFixture[str], address: str
) -> None:
    assert curate("--scheduler", address) == 2
    assert "tcp://host:8786" in capsys.readouterr().err


def test_without_distributed_it_says_what_to_install(
    curate: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert curate("--scheduler", "tcp://127.0.0.1:8786") == 5
    assert "pip install -c requirements.lock '.[cluster]'" in capsys.readouterr().err


def test_with_nothing_to_look_at_nobody_is_asked() -> None:
    assert list(map_on_cluster("tcp://192.0.2.1:8786", scan_jobs, [])) == []


def test_a_worker_is_believed_where_this_machine_sees_the_same(tmp_path: Path) -> None:
    broken, good, gone = (Job(str(tmp_path / name), name) for name in ("b.jpg", "g.jpg", "x.jpg"))
    Path(broken.path).write_text("no picture")
    Path(good.path).write_bytes(encode_jpeg(np.zeros((40, 40, 3), np.uint8)))
    jobs = [broken, good, gone]
    file_scans = scan_jobs(jobs)
    assert [file_scan.fault is None for file_scan in file_scans] == [False, True, False]
    sizes = [10, Path(good.path).stat().st_size, None]
    sound = WorkerAnswer("far", versions_here(), None, sizes, file_scans)
    require_like_here(jobs, sound)
    assert answer_jobs(scan_jobs, jobs) == replace(sound, host=socket.gethostname())
    unseen = FileScan("", fault="cannot be read (No such file or directory)")
    refused = {
        r"g\.jpg cannot be read \(No such file or directory\), but not here": replace(
            sound, sizes=[10, None, None], file_scans=[file_scans[0], unseen, file_scans[2]]
        ),
        r"b\.jpg is another file there than here": replace(
            sound, file_scans=[FileScan("0" * 64), *file_scans[1:]]
        ),
        r"g\.jpg is another file there than here": replace(sound, sizes=[10, 11, None]),
        r"far .* PIL 9\.0 instead": replace(sound, versions=versions_here() | {"PIL": "9.0"}),
        r"face model /m/yunet\.onnx": WorkerAnswer("far", versions_here(), "/m/yunet.onnx"),
    }
    for message, answer in refused.items():
        with pytest.raises(EnvironmentProblemError, match=message):
            require_like_here(jobs, answer)


def test_a_face_model_that_the_worker_lacks_is_named_instead_of_looking(tmp_path: Path) -> None:
    model = str(tmp_path / "yunet.onnx")
    answer = answer_jobs(fail_at_a_name, [Job(str(tmp_path / "a.jpg"), "a.jpg", model)])
    assert (answer.missing, answer.file_scans) == (model, [])
