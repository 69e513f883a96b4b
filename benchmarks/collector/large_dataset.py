"""How long a large dataset takes to open.

    python benchmarks/collector/large_dataset.py --photos 100000

Makes it as `gallery.py` does (rows for every photo, files that are links to a few
hundred pictures), and measures each thing in a process of its own.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.collector.gallery import fill
from benchmarks.common.criteria import finish
from benchmarks.common.goals import LARGE_DATASET

TIMED = """
import json, sys, time
from pathlib import Path
data = Path(sys.argv[1])
{imports}
started_s, started_cpu_s = time.monotonic(), time.process_time()
{work}
seconds, cpu_s = time.monotonic() - started_s, time.process_time() - started_cpu_s
from maskage.system.peak_memory import peak_memory_mb
figures = {{"seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_memory_mb()}}
print(json.dumps({{name: round(figure, 2) for name, figure in figures.items()}}))
"""
TASKS = {
    "open for writing": (
        "from maskage.dataset.store import PhotoStore",
        "store = PhotoStore(data)",
    ),
    "list photos": ("from maskage.dataset.store import list_photos", "list_photos(data)"),
    "status": (
        "from maskage.dataset.status.dataset_status import read_status",
        "str(read_status(data, 735))",
    ),
    "gallery, newest": (
        "from collector.review.photo_list import *\nfrom maskage.dataset.store import list_photos\n"
        "photos = list_photos(data)",
        "ReviewList(photos, ReviewFilter(), ReviewOrder.NEWEST)",
    ),
    "gallery, look-alikes": (
        "from collector.review.photo_list import *\nfrom maskage.dataset.store import list_photos\n"
        "photos = list_photos(data)",
        "ReviewList(photos, ReviewFilter(), ReviewOrder.LOOK_ALIKES)",
    ),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        fill(data, arguments.photos)
        figures: dict[str, Any] = {"photos": arguments.photos}
        for name, (imports, work) in TASKS.items():
            script = TIMED.format(imports=imports, work=work)
            answer = subprocess.run(
                [sys.executable, "-c", script, str(data)],
                capture_output=True,
                text=True,
                check=True,
            )
            figures[name] = json.loads(answer.stdout)
    return finish(figures, LARGE_DATASET if arguments.photos >= 100_000 else ())


if __name__ == "__main__":
    sys.exit(main())
