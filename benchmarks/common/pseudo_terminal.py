"""Runs an app in a pseudo-terminal, reading all that it draws as a terminal would."""

import os
import pty
import termios
import threading
import traceback
from collections.abc import Callable


def run_in_terminal(
    app: Callable[[], None],
    columns: int = 120,
    rows: int = 40,
    press_keys: Callable[[int], None] | None = None,
) -> int:
    """Run `app` in a child process until it ends.

    Args:
        app: What the child does.
        columns, rows: Size of the terminal, in cells.
        press_keys: Called in a thread with the terminal's descriptor, to write keys to.

    Returns:
        How many bytes it drew.

    Raises:
        RuntimeError: The child failed; its traceback is on what it drew.
    """
    process, terminal = pty.fork()
    if process == 0:
        code = 1
        try:
            app()
            code = 0
        except BaseException:  # noqa: BLE001  whatever it is, the parent is to be told
            traceback.print_exc()
        finally:
            os._exit(code)
    termios.tcsetwinsize(terminal, (rows, columns))
    if press_keys is not None:
        threading.Thread(target=press_keys, args=(terminal,), daemon=True).start()
    drawn, tail = 0, b""
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:
            break
        drawn, tail = drawn + len(data), (tail + data)[-4000:]
    _, status = os.waitpid(process, 0)
    if status != 0:
        raise RuntimeError(f"The app failed:\n{tail.decode(errors='replace')}")
    return drawn
