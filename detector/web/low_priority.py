"""Lets the server's threads step back behind the live loop."""

import os
import sys
import threading
from contextlib import suppress

_NICENESS = 10


def lower_priority() -> None:
    """Have the operating system prefer every other thread of the process to this one.

    Only Linux knows a niceness for each thread; elsewhere nothing changes.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
