"""A lower priority for the server's threads than for the live loop."""

import os
import sys
import threading
from contextlib import suppress

_NICENESS = 10


def lower_priority() -> None:
    """Lower the priority of this thread, so that every other one of the process goes first.

    Only Linux knows a niceness for each thread; elsewhere nothing changes.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
