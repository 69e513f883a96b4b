"""The guided tour: the whole loop on rendered people, with no camera and no download.

Each stage runs the parts that a user runs on their own photos, where possible by the very command,
and prints it. The accuracy is measured on people that the training never saw.
"""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from detector.drawing.overlay import Readout, draw_result
from detector.events.events import EventLog
from detector.tour.photograph import photograph_cast
from detector.tour.report import write_demo_report
from detector.tour.score import LiveScore
from detector.tracking.pipeline import LivePipeline
from detector.video.sink import VideoSink
from maskage.classes.ready_made import READY_MADE
from maskage.classes.scheme import MISWORN, Scheme
from maskage.console import say, show, show_progress
from maskage.dataset.store import PhotoStore
from maskage.demo.camera import DEMO_SUBJECTS, DemoCamera
from maskage.demo.scenes import mask_states
from maskage.errors import EnvironmentProblemError, UsageError
from maskage.faces.finder import GuideFinder
from maskage.formats.bundle import find_bundle, load_bundle
from maskage.formats.run.run_folder import RunFolder
from maskage.inference.classifier import Classifier
from maskage.outside_text import shown_text

FEWEST_PHOTOS = 150
PHOTOS = 250
PHOTOS_WITH_MISWORN = 400
"""Misworn masks look like many things; 400 photos give 90.9% live with seed 0."""

UNSEEN_OF_EACH_AGE = 3
LIVE_FPS = 15.0
LIVE_SCENE_S = 2.0
LIVE_ROUNDS = 2
"""Number of times that each person shows each state of the mask."""

EPOCHS = 64
IMAGE_SIZE = 80
BATCH_SIZE = 12
MARK = ".maskage-demo"
DEFAULT_CLASSES = "mask-age"
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six")


def run_demo(
    out: Path, seed: int, photos: int | None = None, classes: str = DEFAULT_CLASSES
) -> int:
    """Run the whole loop into the folder `out`, which a former demo may have made.

    Args:
        out: The folder that gets data/, curated/, runs/, live.mp4, live.jsonl and report.html.
        seed: Decides who stands in front of the camera, and everything else that is random.
        photos: Number of photos to take; None for as many as the classes need.
        classes: Name of ready-made classes, all of which the demo camera can show.

    Returns:
        0, or the exit code of the stage that failed.

    Raises:
        UsageError: Too few photos, unknown classes, or `out` holds something that is not a demo.
    """
    started = time.monotonic()
    scheme = _choose_classes(classes)
    if photos is None:
        photos = PHOTOS_WITH_MISWORN if MISWORN in mask_states(scheme) else PHOTOS
    if photos < FEWEST_PHOTOS:
        raise UsageError(
            f"--photos is at least {FEWEST_PHOTOS}, or there is too little to learn from; "
            f"found {photos}."
        )
    _prepare(out)
    seen, unseen = split_cast()
    if classes != DEFAULT_CLASSES and (code := _init(out / "data", classes)):
        return code
    _collect(out / "data", seen, photos, seed)
    for stage in (_curate, _fit):
        if code := stage(out, seed):
            return code
    score = _run_live(out, scheme, unseen, seed)
    report = write_demo_report(out, score, seen, unseen)
    _say_goodbye(out, report, score, unseen, time.monotonic() - started)
    return 0


def split_cast() -> tuple[list[str], list[str]]:
    """Return who is photographed, and who is kept for the live camera: the last of each age."""
    unseen = [
        subject.subject_id
        for is_old in (True, False)
        for subject in [s for s in DEMO_SUBJECTS if s.is_old is is_old][-UNSEEN_OF_EACH_AGE:]
    ]
    seen = [s.subject_id for s in DEMO_SUBJECTS if s.subject_id not in unseen]
    return seen, unseen


def _prepare(out: Path) -> None:
    """Make `out`, or empty it of a former demo; a folder of anything else is refused."""
    import shutil

    if out.exists() and any(out.iterdir()) and not (out / MARK).is_file():
        raise UsageError(
            f"{out}: this folder is not empty and was not made by a demo. Name another with --out."
        )
    try:
        if out.exists():
            shutil.rmtree(out)
        out.mkdir(mode=0o700, parents=True)
        (out / MARK).write_text("Made by `detector demo`, which replaces this folder.\n")
    except OSError as fault:
        raise EnvironmentProblemError(
            f"{out}: cannot be written ({fault.strerror}). Name another folder with --out."
        ) from fault


def _init(data: Path, classes: str) -> int:
    from collector.cli import main

    say("")
    return _run_command(main, "collector", ["init", str(data), "--classes", classes])


def _collect(data: Path, cast: Sequence[str], photos: int, seed: int) -> None:
    with PhotoStore(data) as store:
        scheme = store.scheme
        has_misworn = MISWORN in mask_states(scheme)
        _announce(
            1,
            f"Collect: photograph {len(cast)} rendered people "
            + ("with a mask, a misworn one and none" if has_misworn else "with and without a mask"),
            f"collector --self                (1-{len(scheme)} shoot into the "
            f"{_NUMBERS[len(scheme)]} classes)",
        )
        session = photograph_cast(store, cast, photos, GuideFinder(), seed)
        for counts in show_progress(session, "photographing", photos):
            latest = counts
        by_class = ", ".join(
            f"{count} {scheme.title(label)}" for label, count in store.counts().items()
        )
    say(
        f"   {latest.saved} photos in {data}: {by_class}",
        f"   {latest.refused} shots refused by the quality check, "
        f"{latest.dropped} frames passed by unused",
    )


def _curate(out: Path, seed: int) -> int:
    from curation.cli import main

    _announce(
        2,
        "Curate: set near-duplicates aside, split by person, balance the training part",
        "curate --dedupe --balance",
    )
    words = [str(out / "data"), "--dedupe", "--balance", "--out", str(out / "curated")]
    # The rendered people wear their masks rightly, and the demo is the same with a face model.
    return _run_command(main, "curate", [*words, "--paint-masks", "0"])


def _fit(out: Path, seed: int) -> int:
    from trainer.cli import main

    _announce(
        3,
        "Train: a small MobileNetV2, from random weights (yours would start from ImageNet's)",
        "trainer fit",
    )
    arguments = ["fit", str(out / "curated"), "--name", "demo", "--runs", str(out / "runs")]
    arguments += ["--model", "mobilenetv2", "--weights", "none", "--alpha", "0.35"]
    arguments += ["--image-size", str(IMAGE_SIZE), "--epochs", str(EPOCHS)]
    arguments += ["--batch-size", str(BATCH_SIZE), "--seed", str(seed)]
    return _run_command(main, "trainer", arguments)


def _run_live(out: Path, scheme: Scheme, cast: Sequence[str], seed: int) -> LiveScore:
    _announce(
        4,
        f"Detect: a live camera shows {len(cast)} people who were never photographed",
        "detector live",
    )
    classifier = Classifier(load_bundle(find_bundle(out / "runs" / "demo")))
    score = LiveScore(scheme)
    scenes = LIVE_ROUNDS * len(mask_states(scheme))
    frames = round(scenes * LIVE_SCENE_S * LIVE_FPS)
    started = time.monotonic()
    with VideoSink(out / "live.mp4", LIVE_FPS) as video, EventLog(out / "live.jsonl") as events:
        labelled = _watch(cast, frames, classifier, seed, video, events, score)
        for _ in show_progress(labelled, "watching", frames * len(cast)):
            pass
    score.seconds = time.monotonic() - started
    say(f"   {score.frames} frames at {score.fps:.0f} a second")
    return score


def _watch(
    cast: Sequence[str],
    frames: int,
    classifier: Classifier,
    seed: int,
    video: VideoSink,
    events: EventLog,
    score: LiveScore,
) -> Iterator[None]:
    """Show one person after the other to the live loop."""
    for number, subject in enumerate(cast):
        # Other seeds than the photographed: other light, other masks, other movement.
        camera = DemoCamera(
            seed=seed + 1000 + number,
            pace=False,
            cast=[subject],
            fps=LIVE_FPS,
            scene_s=LIVE_SCENE_S,
            scheme=score.scheme,
        )
        yield from _watch_one(camera, frames, classifier, video, events, score)


def _watch_one(
    camera: DemoCamera,
    frames: int,
    classifier: Classifier,
    video: VideoSink,
    events: EventLog,
    score: LiveScore,
) -> Iterator[None]:
    frames_a_scene = round(LIVE_SCENE_S * LIVE_FPS)
    pipeline = LivePipeline(GuideFinder(), classifier)
    for _ in range(frames):
        frame = camera.read()
        if frame.index % frames_a_scene == 0:
            # The camera cuts to another scene, which no live camera does, so no track goes on.
            pipeline.tracker.forget()
        result = pipeline.process(frame)
        actual = camera.faces_at(frame.index)[0].label
        shown = result.faces[0].label
        picture = draw_result(result, Readout())
        video.write(picture)
        events.write(result)
        assert actual is not None  # the demo camera knows the truth of all ready-made classes
        score.confusion[actual, shown] += 1
        if actual != shown and len(score.mistakes) < 12:
            score.mistakes.append(picture)
        if frame.index % frames_a_scene == frames_a_scene // 2:
            score.moments.append(picture)
        yield


def _choose_classes(name: str) -> Scheme:
    """Return ready-made classes, all of which the demo camera can draw."""
    if name not in READY_MADE:
        raise UsageError(
            f"--classes {shown_text(name)}: the demo can draw faces of two ages and masks, and "
            f"nothing else. Choose from {', '.join(READY_MADE)}. Other classes need photos of your "
            "own: `collector init --classes helmet,no_helmet` begins with them."
        )
    return READY_MADE[name]


def _announce(number: int, what: str, own: str) -> None:
    say("", f"{number}/4 {what}.", f"   With your own camera: {own}")


def _run_command(main: Callable[[list[str]], int], name: str, arguments: list[str]) -> int:
    """Run a command as if it had been typed, and show it."""
    say(f"   $ {name} {shlex.join(arguments)}")
    return main(arguments)


def _say_goodbye(
    out: Path, report: Path, score: LiveScore, unseen: Sequence[str], seconds: float
) -> None:
    test = RunFolder(out / "runs" / "demo").read_metrics()
    low, high = test["accuracy_interval"]
    show(
        "",
        f"Accuracy on {len(unseen)} people it never saw, live: {score.accuracy:.1%} "
        f"({score.right} of {score.frames} frames)",
        f"Accuracy on the photos of its own test people:  {test['accuracy']:.1%} "
        f"(95% interval {low:.1%} to {high:.1%})",
        "",
        f"Report   {report}",
        f"Video    {out / 'live.mp4'}",
        f"Events   {out / 'live.jsonl'}",
        f"Took     {seconds:.0f} s",
        "",
        "Next:",
        "  collector --self                  photograph yourself (no camera: --source demo)",
        "  curate --dedupe --balance && trainer fit",
        f"  detector live                     (or now: detector live --model {out}/runs/demo "
        f"--source demo)",
    )
