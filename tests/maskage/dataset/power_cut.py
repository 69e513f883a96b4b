"""What a power cut leaves of a folder, worked out from the system calls of the process that wrote.

The page cache outlives a killed process, so a kill cannot show that a sync is missing. Here strace
records each call that changes the folder, and a model of the disk replays them: it knows what each
file and each folder held at its last sync. A cut may happen after any call, and may take everything
that was not synced by then, or only names, or only contents; see `Loss`.

One thing is taken for granted: a rename is one step, also between two folders. That holds on every
file system with a journal, and nothing could be built without it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from maskage.errors import EnvironmentProblemError
from tests.maskage.dataset.saving_checks import REPOSITORY, CannotTraceError

CALLS = (
    *("open", "openat", "creat", "close", "dup", "dup2", "dup3", "lseek"),
    *("write", "pwrite64", "writev", "ftruncate", "truncate", "fallocate", "copy_file_range"),
    *("fsync", "fdatasync", "sync", "syncfs", "sync_file_range"),
    *("link", "linkat", "symlink", "symlinkat", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir"),
    *("rename", "renameat", "renameat2"),
)
"""What strace records: all calls that change a folder, and those that say what a number stands for.

Writing through a mapping is not among them: SQLite does so with its index only (`-shm`), which it
makes anew from the log.
"""
_LONGEST_TEXT = 1 << 26
_EXCHANGE = "RENAME_EXCHANGE"
_ARGUMENT = re.compile(r'"(?:\\x[0-9a-f]{2})*"(?:\.\.\.)?|\[[^\]]*\]|[^,]+')
_LINE = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_STDOUT = 1


class Loss(Enum):
    """What a power cut takes of what was not synced; a kill takes nothing of it."""

    NOTHING = "killed: all that was written is there"
    ALL = "everything unsynced is lost"
    CONTENTS = "names are kept, contents are lost"
    NAMES = "contents are kept, names are lost"


@dataclass(eq=False)
class File:
    """A file: its bytes now, and at its last sync."""

    content: bytearray = field(default_factory=bytearray)
    synced: bytes = b""

    def sync(self) -> None:
        self.synced = bytes(self.content)


@dataclass(eq=False)
class Folder:
    """A folder: its names now, and at its last sync."""

    names: dict[str, "Node"] = field(default_factory=dict)
    synced: dict[str, "Node"] = field(default_factory=dict)

    def sync(self) -> None:
        self.synced = dict(self.names)


Node = File | Folder


@dataclass
class _Handle:
    node: Node
    offset: int = 0


class Disk:
    """One folder as it is in memory and as it is on the disk, call by call.

    Args:
        root: The folder; what lies in it now counts as synced.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._top = _read_tree(root)
        self._handles: dict[int, _Handle] = {}
        self._renamed: list[tuple[Folder, str, Folder, str, Node]] = []
        self.output = b""

    def lay_out(self, target: Path, loss: Loss) -> None:
        """Write what a power cut leaves now into a new folder."""
        _write_tree(self._top, target, loss)

    def replay(self, name: str, arguments: Sequence[str], result: int) -> bool:
        """Take in one call that succeeded; returns whether it changed the folder."""
        step: Callable[[Sequence[str], int], bool] | None = getattr(self, f"_{name}", None)
        if step is None:
            raise NotImplementedError(f"the model of the disk does not know {name}")
        return step(arguments, result)

    def _open(self, arguments: Sequence[str], result: int) -> bool:
        return self._openat(["AT_FDCWD", *arguments], result)

    def _openat(self, arguments: Sequence[str], result: int) -> bool:
        at, path, flags, *_mode = arguments
        self._handles.pop(result, None)
        place = self._place(path, at)
        if place is None:
            return False
        folder, name = place
        is_new = name not in folder.names and name != "."
        node = folder if name == "." else folder.names.get(name)
        if node is None:
            assert "O_CREAT" in flags, path
            node = folder.names[name] = File()
        if "O_TRUNC" in flags and isinstance(node, File):
            node.content.clear()
        end = len(node.content) if isinstance(node, File) and "O_APPEND" in flags else 0
        self._handles[result] = _Handle(node, end)
        return is_new

    def _close(self, arguments: Sequence[str], result: int) -> bool:
        self._handles.pop(int(arguments[0]), None)
        return False

    def _dup(self, arguments: Sequence[str], result: int) -> bool:
        self._handles.pop(result, None)
        if (handle := self._handles.get(int(arguments[0]))) is not None:
            self._handles[result] = handle
        return False

    _dup2 = _dup3 = _dup

    def _lseek(self, arguments: Sequence[str], result: int) -> bool:
        if (handle := self._handles.get(int(arguments[0]))) is not None:
            handle.offset = result
        return False

    def _write(self, arguments: Sequence[str], result: int) -> bool:
        number, data = int(arguments[0]), _bytes(arguments[1])
        if number == _STDOUT:
            self.output += data[:result]
        handle = self._handles.get(number)
        if handle is None:
            return False
        _put(handle, data[:result], handle.offset)
        handle.offset += result
        return True

    def _pwrite64(self, arguments: Sequence[str], result: int) -> bool:
        handle = self._handles.get(int(arguments[0]))
        if handle is None:
            return False
        _put(handle, _bytes(arguments[1])[:result], int(arguments[3]))
        return True

    def _ftruncate(self, arguments: Sequence[str], result: int) -> bool:
        handle = self._handles.get(int(arguments[0]))
        if handle is None:
            return False
        assert isinstance(handle.node, File)
        size, content = int(arguments[1]), handle.node.content
        content[size:] = bytes(max(0, size - len(content)))
        return True

    def _fallocate(self, arguments: Sequence[str], result: int) -> bool:
        handle = self._handles.get(int(arguments[0]))
        if handle is None:
            return False
        assert isinstance(handle.node, File)
        content = handle.node.content
        content.extend(bytes(max(0, int(arguments[2]) + int(arguments[3]) - len(content))))
        return True

    def _fsync(self, arguments: Sequence[str], result: int) -> bool:
        handle = self._handles.get(int(arguments[0]))
        if handle is None:
            return False
        handle.node.sync()
        if isinstance(handle.node, Folder):
            self._sync_renames(handle.node)
        return True

    _fdatasync = _fsync

    def _link(self, arguments: Sequence[str], result: int) -> bool:
        return self._linkat(["AT_FDCWD", arguments[0], "AT_FDCWD", arguments[1]], result)

    def _linkat(self, arguments: Sequence[str], result: int) -> bool:
        source = self._place(arguments[1], arguments[0])
        target = self._place(arguments[3], arguments[2])
        if source is None or target is None:
            return False
        target[0].names[target[1]] = source[0].names[source[1]]
        return True

    def _unlink(self, arguments: Sequence[str], result: int) -> bool:
        return self._unlinkat(["AT_FDCWD", arguments[0]], result)

    _rmdir = _unlink

    def _unlinkat(self, arguments: Sequence[str], result: int) -> bool:
        if (place := self._place(arguments[1], arguments[0])) is None:
            return False
        del place[0].names[place[1]]
        return True

    def _mkdir(self, arguments: Sequence[str], result: int) -> bool:
        return self._mkdirat(["AT_FDCWD", *arguments], result)

    def _mkdirat(self, arguments: Sequence[str], result: int) -> bool:
        if (place := self._place(arguments[1], arguments[0])) is None:
            return False
        place[0].names[place[1]] = Folder()
        return True

    def _rename(self, arguments: Sequence[str], result: int) -> bool:
        return self._renameat2(["AT_FDCWD", arguments[0], "AT_FDCWD", arguments[1], "0"], result)

    def _renameat(self, arguments: Sequence[str], result: int) -> bool:
        return self._renameat2([*arguments, "0"], result)

    def _renameat2(self, arguments: Sequence[str], result: int) -> bool:
        source = self._place(arguments[1], arguments[0])
        target = self._place(arguments[3], arguments[2])
        if source is None or target is None:
            return False
        node = source[0].names.pop(source[1])
        if _EXCHANGE in arguments[4]:
            source[0].names[source[1]] = target[0].names[target[1]]
        target[0].names[target[1]] = node
        self._renamed.append((*source, *target, node))
        return True

    def _sync_renames(self, folder: Folder) -> None:
        """A rename is one step: where one of its folders is synced, so is it in the other."""
        for renamed in [step for step in self._renamed if folder in (step[0], step[2])]:
            source, name, target, new_name, node = renamed
            if source.names.get(name) is None:
                source.synced.pop(name, None)
            if target.names.get(new_name) is node:
                target.synced[new_name] = node
            self._renamed.remove(renamed)

    def _place(self, path: str, at: str) -> tuple[Folder, str] | None:
        """Return the folder and name that a path stands for; None outside the root."""
        name = os.path.normpath(os.fsdecode(_bytes(path)))
        if not name.startswith("/"):
            handle = self._handles.get(int(at)) if at.isdecimal() else None
            return (handle.node, name) if handle and isinstance(handle.node, Folder) else None
        if name == str(self._root):
            return self._top, "."
        if not name.startswith(f"{self._root}/"):
            return None
        *parents, last = Path(name).relative_to(self._root).parts
        folder = self._top
        for parent in parents:
            node = folder.names[parent]
            assert isinstance(node, Folder)
            folder = node
        return folder, last


def record(words: Sequence[str], log: Path) -> bytes:
    """Run Python with these words under strace, write its calls to `log`, return its output.

    Raises:
        CannotTraceError: strace is not installed, or may not trace.
        RuntimeError: The process ended as none should.
    """
    try:
        done = subprocess.run(
            [
                *("strace", "-xx", "-s", str(_LONGEST_TEXT), "-o", str(log)),
                *("-e", f"trace={','.join(f'?{name}' for name in CALLS)}"),
                *(sys.executable, *words),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=REPOSITORY,
        )
    except FileNotFoundError as fault:
        raise CannotTraceError("strace is not installed") from fault
    said = done.stderr.decode(errors="replace").strip()
    if done.returncode != 0 and said.startswith("strace:"):
        raise CannotTraceError(said)
    if done.returncode not in (0, EnvironmentProblemError.exit_code):
        raise RuntimeError(f"{words} ended with {done.returncode}: {said}")
    return done.stdout


def replay(root: Path, log: Path) -> Iterator[tuple[Disk, str]]:
    """Go through recorded calls; yields the disk after each that changed it or was a report.

    Args:
        root: The folder as it was before the process ran. It is read at the first step.
        log: What `record` wrote.
    """
    disk = Disk(root)
    for line in log.read_text().splitlines():
        match = _LINE.match(line)
        if match is None or int(match[3]) < 0:
            continue
        name, result = match[1], int(match[3])
        said = len(disk.output)
        has_changed = disk.replay(
            name, [part.strip() for part in _ARGUMENT.findall(match[2])], result
        )
        if has_changed or len(disk.output) > said:
            yield disk, name


def _bytes(argument: str) -> bytes:
    """The bytes of an argument as strace -xx prints them."""
    assert re.fullmatch('".*"', argument), argument[:80]
    return bytes.fromhex(argument[1:-1].replace("\\x", ""))


def _put(handle: _Handle, data: bytes, offset: int) -> None:
    assert isinstance(handle.node, File)
    content = handle.node.content
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


def _read_tree(path: Path) -> Folder:
    folder = Folder()
    for entry in path.iterdir():
        if entry.is_dir():
            folder.names[entry.name] = _read_tree(entry)
        else:
            data = entry.read_bytes()
            folder.names[entry.name] = File(bytearray(data), data)
    folder.sync()
    return folder


def _write_tree(folder: Folder, target: Path, loss: Loss) -> None:
    target.mkdir(mode=0o700)
    has_names = loss in (Loss.NOTHING, Loss.CONTENTS)
    for name, node in (folder.names if has_names else folder.synced).items():
        if isinstance(node, Folder):
            _write_tree(node, target / name, loss)
        elif not name.endswith("-shm"):
            (target / name).write_bytes(
                node.content if loss in (Loss.NOTHING, Loss.NAMES) else node.synced
            )
