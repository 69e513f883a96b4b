"""Measure how reliably a picture saved twice is separated from two pictures of one pose.

    python benchmarks/curation/label_conflicts.py FOLDER [VIDEO ...]

Every picture of FOLDER is saved again at half its size and JPEG quality 50; the share that is
recognised is printed. Frames of a video, some frames apart, are two pictures; the share of pairs
that count as one is printed. The output is JSON.
"""

import argparse
import io
import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import finish
from benchmarks.common.goals import LABEL_CONFLICTS
from curation.grouping.conflicts import CONFLICT_BITS, is_same_picture, make_thumb
from maskage.pictures.images import decode_image, encode_jpeg, is_picture
from maskage.pictures.perceptual_hash import hash_crop

GAPS = (1, 5, 15, 30)
MOST_FRAMES = 300


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("videos", type=Path, nargs="*")
    arguments = parser.parse_args()
    files = sorted(path for path in arguments.folder.rglob("*") if is_picture(path))
    found = [is_recognised(path) for path in files]
    figures = {
        "saved_again": len(found),
        "told_to_be_the_same": round(float(np.mean(found)), 4),
        "taken_for_the_same": {video.name: frames_taken(video) for video in arguments.videos},
    }
    return finish(figures, LABEL_CONFLICTS)


def is_recognised(path: Path) -> bool:
    """Return whether a picture that is saved again is recognised."""
    data = path.read_bytes()
    image = Image.open(io.BytesIO(data)).convert("RGB")
    half = image.resize((max(1, image.width // 2), max(1, image.height // 2)))
    again = encode_jpeg(np.asarray(half), quality=50)
    bits = (hash_of(data) ^ hash_of(again)).bit_count()
    return bits <= CONFLICT_BITS and is_same_picture(make_thumb(data), make_thumb(again))


def hash_of(data: bytes) -> int:
    """Return the perceptual hash of a file."""
    return hash_crop(decode_image(data))


def frames_taken(video: Path) -> dict[str, float]:
    """Return the share of pairs of frames that count as one picture, by their distance."""
    capture = cv2.VideoCapture(str(video))
    thumbs = []
    while len(thumbs) < MOST_FRAMES:
        has_frame, frame = capture.read()
        if not has_frame:
            break
        thumbs.append(make_thumb(encode_jpeg(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))))
    return {
        str(gap): round(float(np.mean(list(map(is_same_picture, thumbs[gap:], thumbs[:-gap])))), 3)
        for gap in GAPS
        if len(thumbs) > gap
    }


if __name__ == "__main__":
    sys.exit(main())
