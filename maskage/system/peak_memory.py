"""The most memory that this process has held."""

import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")


def peak_memory_mb() -> float:
    """Return the highest resident memory so far, in MiB.

    On Linux the kernel's `VmHWM`: the `ru_maxrss` of getrusage begins with what the process had
    that started this one.
    """
    if _STATUS.is_file():
        kilobytes = _STATUS.read_text().partition("VmHWM:")[2].split()[0]
        return int(kilobytes) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Bytes on macOS, kilobytes elsewhere.
    return float(peak) / (1 << 20 if sys.platform == "darwin" else 1 << 10)
