"""Keeping quiet what native libraries write past Python's `sys.stderr`."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def suppress_native_output() -> Iterator[None]:
    """Hold back what native libraries write to stderr; shown after all where the block fails.

    TensorFlow writes some lines before its own log level is heeded, past Python's `sys.stderr`.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
