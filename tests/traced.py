"""Run commands under strace, and read what they reached and wrote.

A command gets an empty home and a folder for temporary files, and a proxy on loopback that notes
and refuses every download: what honours the usual variables asks there, and what asks the
network by itself is seen by strace. So nothing leaves the machine that runs the tests either.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]

_CALLS = (
    "connect,bind,sendto,sendmsg,sendmmsg,open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,"
    "renameat2,link,linkat,symlink,symlinkat,mknod,mknodat,unlink,unlinkat,rmdir,truncate"
)
LONGEST_S = 300.0
"""After that a command is killed; the slowest takes half a minute of a quiet core."""

# What runs in a shell's background is started with Ctrl-C ignored, and hands that on.
_HEED_CTRL_C = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)

_RESOLVER_PORTS = {53, 853, 5353, 5355}
"""DNS, DNS over TLS, mDNS, LLMNR."""


@dataclass(frozen=True)
class Command:
    """One command line, and what it may do.

    Attributes:
        name: Of the case.
        words: Arguments of Python.
        writes: Patterns of what it may write to in the folder it runs in.
        downloads: Hosts that it may ask the proxy for, as it announces them.
        code: The exit code.
        keys: Typed into its terminal when `seconds` are over; without keys it has no terminal.
        seconds: How long it runs, from its first word on, before the keys, or else Ctrl-C; None
            waits for its end.
        environment: Variables beside the usual ones.
    """

    name: str
    words: tuple[str, ...]
    writes: tuple[str, ...] = ()
    downloads: frozenset[str] = frozenset()
    code: int = 0
    keys: str = ""
    seconds: float | None = None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Traces:
    """The traces of one command outside of itself.

    Attributes:
        home, temporary: The folders that it got.
        code: Its exit code.
        output: What it printed, on both streams or its terminal.
        addresses: What it spoke to or listened at, as strace writes it, other than loopback.
        lookups: What it asked of a resolver, wherever that is.
        written: Files that it wrote, made or removed, absolute.
        left: Files of the temporary folder that it left there.
        downloads: Hosts that it asked the proxy for.
    """

    home: Path
    temporary: Path
    code: int
    output: str
    addresses: tuple[str, ...]
    lookups: tuple[str, ...]
    written: tuple[Path, ...]
    left: tuple[Path, ...]
    downloads: frozenset[str]


def trace(command: Command, folder: Path, place: Path) -> Traces:
    """Run a command under strace.

    Args:
        command: What to run.
        folder: Where it runs.
        place: A new folder for its home, its temporary files and its traces.
    """
    home, temporary, logs = place / "home", place / "tmp", place / "logs"
    for made in (home, temporary, logs):
        made.mkdir(parents=True)
    strace = ["strace", "-ff", "-y", "-qq", "-s", "300", "--seccomp-bpf", "-e", "signal=none"]
    strace += ["-e", f"trace={_CALLS}", "-o", str(logs / "of")]
    with noting_proxy() as (address, asked):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "PYTHONPATH": str(ROOT),
            # Installed by pip, everything is compiled already.
            "PYTHONDONTWRITEBYTECODE": "1",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            # What a graphics driver keeps in the home is not ours to place.
            "CUDA_VISIBLE_DEVICES": "-1",
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), address),
            "no_proxy": "127.0.0.1,localhost",
            **command.environment,
        }
        words = [sys.executable, "-c", _HEED_CTRL_C, *strace, sys.executable, *command.words]
        run = _run_in_terminal if command.keys else _run_plainly
        code, output = run(words, command, folder, environment)
    addresses, lookups, written = read_logs(logs, folder)
    left = tuple(path for path in sorted(temporary.rglob("*")) if path.is_file())
    return Traces(
        home, temporary, code, output, addresses, lookups, written, left, frozenset(asked)
    )


def _run_plainly(
    words: list[str], command: Command, folder: Path, environment: dict[str, str]
) -> tuple[int, str]:
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert process.stdout is not None
    with _reading(process.stdout.fileno(), process) as printed:
        if command.seconds is not None:
            _wait_for(printed, process)
            time.sleep(command.seconds)
            # strace does not heed it, and passes on how its command ends.
            os.killpg(process.pid, signal.SIGINT)
        code = _wait_for_end(process, LONGEST_S)
    process.stdout.close()
    return code, b"".join(printed).decode(errors="replace")


def _run_in_terminal(
    words: list[str], command: Command, folder: Path, environment: dict[str, str]
) -> tuple[int, str]:
    outer, inner = os.openpty()
    termios.tcsetwinsize(inner, (40, 120))
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    )
    os.close(inner)
    with _reading(outer, process) as drawn:
        _wait_for(drawn, process)
        time.sleep(command.seconds or 0)
        for key in command.keys:
            os.write(outer, key.encode())
            time.sleep(0.5)
        code = _wait_for_end(process, LONGEST_S)
    os.close(outer)
    return code, b"".join(drawn).decode(errors="replace")


def _wait_for(printed: list[bytes], process: "subprocess.Popen[bytes]") -> None:
    """Wait for a first word: on a busy machine what it imports takes its time."""
    while not printed and process.poll() is None:
        time.sleep(0.05)


def _wait_for_end(process: "subprocess.Popen[bytes]", timeout_s: float) -> int:
    """The exit code; that of a kill where it does not end in time."""
    try:
        return process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


@contextmanager
def _reading(descriptor: int, process: "subprocess.Popen[bytes]") -> Iterator[list[bytes]]:
    """Read all that a command prints, in a thread, until it has ended."""
    printed: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(descriptor, printed))
    reader.start()
    try:
        yield printed
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join()


def _read_all(descriptor: int, printed: list[bytes]) -> None:
    try:
        while data := os.read(descriptor, 1 << 16):
            printed.append(data)
    except OSError:
        return  # How the end of a terminal reads on Linux.


@contextmanager
def noting_proxy() -> Iterator[tuple[str, set[str]]]:
    """A proxy that refuses every request; gives its address, and the hosts it was asked for."""
    asked: set[str] = set()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_note_requests, args=(listener, asked))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _note_requests(listener: socket.socket, asked: set[str]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(5)
            first = connection.recv(4096).decode(errors="replace")
            host = re.match(r"[A-Z]+ (?:http://)?([^/: ]+)", first)
            asked.add(host[1] if host else first)
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def read_logs(
    logs: Path, folder: Path
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[Path, ...]]:
    """Addresses, look-ups and written files in what strace wrote of every thread."""
    addresses: set[str] = set()
    lookups: set[str] = set()
    written: set[Path] = set()
    for log in sorted(logs.iterdir()):
        for line in log.read_text(errors="replace").splitlines():
            addresses.update(_outside_address(line))
            lookups.update(_lookup(line))
            written.update(_written_paths(line, folder))
    return tuple(sorted(addresses)), tuple(sorted(lookups)), tuple(sorted(written))


def _outside_address(line: str) -> Iterator[str]:
    call = line.partition("(")[0]
    if call not in ("connect", "bind", "sendto", "sendmsg", "sendmmsg"):
        return
    for host in re.findall(r'inet_addr\("([^"]+)"\)', line):
        if not host.startswith("127."):
            yield f"{call} {host}"
    for host in re.findall(r'inet_pton\(AF_INET6, "([^"]+)"', line):
        if host != "::1" and not host.startswith("::ffff:127."):
            yield f"{call} {host}"


def _lookup(line: str) -> Iterator[str]:
    """A resolver may listen on loopback, or at a socket of the file system."""
    ports = re.findall(r"sin6?_port=htons\((\d+)\)", line)
    is_resolver = re.search(r'sun_path="[^"]*(systemd\.Resolve|nscd)', line) is not None
    if is_resolver or _RESOLVER_PORTS & {int(port) for port in ports}:
        yield line[:300]


_PATH = r'(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"'


def _written_paths(line: str, folder: Path) -> Iterator[Path]:
    call, _, rest = line.partition("(")
    if re.search(r"\) += -1 ", rest):
        return
    if call.startswith("open") and not re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", rest):
        return
    if call in ("connect", "bind", "sendto", "sendmsg", "sendmmsg"):
        return
    found = re.findall(_PATH, rest)
    # What a link points to is not written.
    for base, name in found[1:] if call.startswith("symlink") else found:
        yield Path(os.path.normpath(Path(base or folder) / name))
