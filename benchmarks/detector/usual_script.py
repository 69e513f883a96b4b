"""The live detector as it is usually written, to measure ours against.

    python benchmarks/detector/usual_script.py CLIP --model model.keras --face-model YUNET.onnx

YuNet on every whole frame, one `model.predict` for each face, a rectangle and a line of text. (The
other usual finder, res10, is not taken: its weights are no part of OpenCV's model zoo any more.)
`live_speed.py` starts it: for each number of frames on a line of stdin it labels so many frames of
CLIP, which begins again at its end, and prints one JSON object.
"""

import argparse
import json
import os
import sys
import time

import cv2
import numpy as np

LABELS = ("mask_old", "mask_young", "nomask_old", "nomask_young")
MARGIN = 0.3
"""The photos the model was trained on have it, so a script that is to be right has it too."""


def main() -> None:
    """Load everything, then answer one line after the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("clip")
    parser.add_argument("--model", required=True)
    parser.add_argument("--face-model", required=True)
    arguments = parser.parse_args()
    began_s = time.perf_counter()
    import keras

    model = keras.models.load_model(arguments.model, compile=False)
    size = model.input_shape[1]
    capture = cv2.VideoCapture(arguments.clip)
    width = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))
    height = int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    detector = cv2.FaceDetectorYN.create(arguments.face_model, "", (width, height), 0.6)
    print(json.dumps({"load_s": time.perf_counter() - began_s}), flush=True)
    for line in sys.stdin:
        started_s, started_cpu_s = time.perf_counter(), cpu_s()
        faces = done = 0
        while done < int(line):
            is_there, image = capture.read()
            if not is_there:
                capture.open(arguments.clip)
                continue
            faces += label_frame(image, detector, model, size)
            done += 1
        print(
            json.dumps(
                {
                    "seconds": time.perf_counter() - started_s,
                    "cpu_s": cpu_s() - started_cpu_s,
                    "faces": faces,
                }
            ),
            flush=True,
        )


def label_frame(
    image: cv2.typing.MatLike, detector: cv2.FaceDetectorYN, model: object, size: int
) -> int:
    """Find, classify and draw the faces of one BGR frame; returns how many."""
    _, found = detector.detect(image)
    rows = [] if found is None else found
    for row in rows:
        x, y, width, height = (round(float(value)) for value in row[:4])
        border = round(MARGIN * max(width, height))
        crop = image[
            max(0, y - border) : y + height + border, max(0, x - border) : x + width + border
        ]
        rgb = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_BGR2RGB), (size, size))
        row_of = model.predict(rgb[None], verbose=0)[0]  # type: ignore[attr-defined]
        best = int(np.argmax(row_of))
        color = (0, 200, 0) if LABELS[best].startswith("mask") else (0, 0, 255)
        cv2.rectangle(image, (x, y), (x + width, y + height), color, 2)
        text = f"{LABELS[best]}: {row_of[best]:.0%}"
        cv2.putText(image, text, (x, y - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.6, color, 2)
    return len(rows)


def cpu_s() -> float:
    """Processor time of this process, in seconds."""
    times = os.times()
    return times.user + times.system


if __name__ == "__main__":
    main()
