"""Make the README's picture of the page: `python docs/make_web_picture.py RUN`.

RUN is a run of `trainer fit`, such as `detector demo` makes (demo/runs/demo). Needs Chromium. The
page shows rendered people, some seconds into the demo camera's film.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.detector.web.chromium import Chromium, find_chromium

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 1280, 800
SECONDS = 20.0


def main() -> int:
    if find_chromium() is None or len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 5
    command = [sys.executable, "-m", "detector.cli", "serve", "--source", "demo", "--port", "0"]
    serving = subprocess.Popen(
        [*command, "--model", sys.argv[1], "--seed", "7"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert serving.stderr is not None
        url = next(
            found.group() for line in serving.stderr if (found := re.search(r"http://\S+", line))
        )
        with Chromium() as browser:
            browser.show_as(WIDTH, HEIGHT)
            browser.open(url)
            time.sleep(SECONDS)
            browser.wait_for("document.querySelector('#face-count').textContent > 0")
            browser.take_picture(ROOT / "docs" / "web.png")
    finally:
        serving.terminate()
        serving.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
