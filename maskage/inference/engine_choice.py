"""Which network of a model this machine runs live: in 32 bits, or in 8 where that is faster.

    <user cache>/engines/<digest of network and processor>.json

The choice is measured once, kept for this machine, and told at every start.
"""

import hashlib
import json
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maskage.errors import ModelRefusedError
from maskage.formats.bundle import ONNX_FILE, ModelBundle, golden_images
from maskage.formats.int8_export import INT8_FORMAT, Int8Export, read_int8
from maskage.inference.classifier import Classifier
from maskage.inference.timing import measure_by_turns
from maskage.records import RgbImage
from maskage.security.files import UnsafeFileError, parse_strict_json, read_regular_file
from maskage.system.files import replace_file
from maskage.system.paths import user_cache

SEVERAL = 8
"""Faces in the batch that is measured beside a single face."""

LEAST_GAIN = 0.05
"""Share of the time that 8 bits must save, to be chosen: less is within the noise."""

_TURNS = 30
_LARGEST_CHOICE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class EngineTime:
    """The time of a network on this machine.

    Attributes:
        one_ms: Median milliseconds of a single face.
        each_ms: Median milliseconds of each of `SEVERAL` faces.
    """

    one_ms: float
    each_ms: float


@dataclass(frozen=True, kw_only=True)
class EngineChoice:
    """The network that is run live on this machine.

    Attributes:
        int8_sha256: Digest of the network in 8 bits that was measured; None if there was none to
            measure.
        is_int8: True if it is run, False if the bundle's own is.
        reason: Why, in words.
        floats: Time of the bundle's own network.
        int8: Time of that in 8 bits; None if there was none to measure.
    """

    int8_sha256: str | None
    is_int8: bool
    reason: str
    floats: EngineTime
    int8: EngineTime | None

    def __str__(self) -> str:
        rows = [("32 bits", self.floats), ("8 bits", self.int8)]
        lines = [f"{'network':<10}{'ms, one face':>14}{f'ms, of {SEVERAL}':>12}"]
        lines += [
            f"{name:<10}{time.one_ms:>14.2f}{time.each_ms:>12.2f}" for name, time in rows if time
        ]
        name = "8 bits" if self.is_int8 else "32 bits"
        lines.append(f"`detector live` runs the network in {name} on this machine: {self.reason}")
        return "\n".join(lines)


def choose_engine(bundle: ModelBundle, threads: int | None = None) -> EngineChoice:
    """Measure the networks of a model by turns, choose one, and keep the choice for this machine.

    Args:
        bundle: The bundle; the export in 8 bits is looked for in its run.
        threads: Threads of one run; None as `Classifier` has it.

    Raises:
        ModelRefusedError: The bundle or the export is damaged.
    """
    floats = Classifier(bundle, threads)
    export = read_int8(bundle)
    if export is None or export.disagreement is not None:
        choice = EngineChoice(
            int8_sha256=None if export is None else export.model.sha256,
            is_int8=False,
            reason=export.disagreement
            if export is not None and export.disagreement
            else f"there is no other (`trainer export --to {INT8_FORMAT}` makes one).",
            floats=_measure([floats], bundle.input_size)[0],
            int8=None,
        )
    else:
        times = _measure([floats, Classifier(bundle, threads, export)], bundle.input_size)
        choice = _choose_faster(export, *times)
    path = _choice_path(bundle)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, json.dumps(asdict(choice), indent=2).encode())
    return choice


def open_chosen(bundle: ModelBundle, threads: int | None = None) -> tuple[Classifier, str]:
    """Open the network that was chosen for this machine, or the bundle's own.

    Returns:
        The classifier, and a line that says which network it runs, and why.

    Raises:
        ModelRefusedError: The bundle's own network has to be run, and is refused.
    """
    export, note = _find_chosen(bundle)
    if export is not None:
        try:
            return Classifier(bundle, threads, export), f"The network runs in 8 bits. {export}."
        except ModelRefusedError as fault:
            note = f" The network in 8 bits is not used: {fault}"
    return Classifier(bundle, threads), f"The network runs in 32 bits.{note}"


def _find_chosen(bundle: ModelBundle) -> tuple[Int8Export | None, str]:
    """Return the export to run, or None and what to say about that."""
    try:
        export = read_int8(bundle)
        choice = _read_choice(bundle)
    except ModelRefusedError as fault:
        return None, f" The network in 8 bits is not used: {fault}"
    except (UnsafeFileError, ValueError, TypeError, KeyError) as fault:
        return None, f" The choice for this machine is damaged ({str(fault)[:80]}): {_AGAIN}"
    if export is None:
        is_gone = choice is not None and choice.is_int8
        return None, f" The one in 8 bits, which was chosen, is gone: {_AGAIN}" if is_gone else ""
    if choice is None:
        return None, f" There is one in 8 bits, not measured on this machine yet: {_AGAIN}"
    if choice.int8_sha256 != export.model.sha256:
        return None, f" The one in 8 bits is another than was measured: {_AGAIN}"
    if not choice.is_int8 or export.disagreement is not None:
        return None, f" The one in 8 bits is not run: {export.disagreement or choice.reason}"
    return export, ""


_AGAIN = "measure with `detector bench --choose`."


def _measure(classifiers: list[Classifier], size: int) -> list[EngineTime]:
    faces = golden_images(size)
    several = [faces[at % len(faces)] for at in range(SEVERAL)]
    # They are of the right size already, so nothing but the network is measured.
    one, many = (
        measure_by_turns([_runner(each, crops) for each in classifiers], faces, _TURNS)
        for crops in (several[:1], several)
    )
    return [
        EngineTime(one_ms=one_ms, each_ms=many_ms / SEVERAL)
        for one_ms, many_ms in zip(one, many, strict=True)
    ]


def _runner(classifier: Classifier, crops: list[RgbImage]) -> Callable[[NDArray[np.uint8]], object]:
    return lambda _: classifier.answer(crops)


def _choose_faster(export: Int8Export, floats: EngineTime, int8: EngineTime) -> EngineChoice:
    saved = 1 - (int8.one_ms + int8.each_ms) / (floats.one_ms + floats.each_ms)
    is_faster = saved >= LEAST_GAIN
    figures = f"8 bits save {saved:.0%} of the time"
    return EngineChoice(
        int8_sha256=export.model.sha256,
        is_int8=is_faster,
        reason=f"{figures}. {export}." if is_faster else f"{figures}, {LEAST_GAIN:.0%} are wanted.",
        floats=floats,
        int8=int8,
    )


def _read_choice(bundle: ModelBundle) -> EngineChoice | None:
    path = _choice_path(bundle)
    if not path.is_file():
        return None
    values = parse_strict_json(read_regular_file(path, _LARGEST_CHOICE))
    int8 = values["int8"]
    return EngineChoice(
        int8_sha256=values["int8_sha256"],
        is_int8=values["is_int8"] is True,
        reason=str(values["reason"]),
        floats=EngineTime(**values["floats"]),
        int8=None if int8 is None else EngineTime(**int8),
    )


def _choice_path(bundle: ModelBundle) -> Path:
    key = f"{bundle.files[ONNX_FILE].sha256} {_processor()}"
    return user_cache() / "engines" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _processor() -> str:
    """Return the name of the processor, with its instructions where Linux lists them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    # The first of each; all cores have the same.
    found = {line.split(":")[0].strip(): line for line in reversed(lines) if ":" in line}
    named = [found[key] for key in ("model name", "flags", "Features") if key in found]
    return " ".join([platform.machine(), platform.processor(), *named])
