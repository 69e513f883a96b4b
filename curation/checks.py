"""Check the quality of photos, and give the reason why a network should not learn from one."""

from collections.abc import Iterator

from curation.limits import CheckLimits
from maskage.dataset.photo_scan import FileScan


def find_flaws(file_scan: FileScan, limits: CheckLimits) -> list[str]:
    """Return the flaws of a photo as "kind: detail", the worst first; empty for a good photo."""
    return [
        f"{kind}: {detail}"
        for kind, detail in _flaws(file_scan, limits)
        if kind not in limits.allowed
    ]


def _flaws(file_scan: FileScan, limits: CheckLimits) -> Iterator[tuple[str, str]]:
    quality = file_scan.quality
    shorter, longer = sorted((file_scan.width, file_scan.height))
    size = f"{file_scan.width}x{file_scan.height} px"
    if shorter < limits.min_side:
        yield "tiny", f"{size}, under {limits.min_side}"
    elif file_scan.faces and quality.face_px < limits.min_side:
        yield "tiny", f"its face has {quality.face_px} px, under {limits.min_side}"
    if longer > limits.max_aspect * shorter:
        yield "odd aspect", f"{size}, over {limits.max_aspect:g} to 1"
    if quality.brightness < limits.min_brightness:
        yield "dark", f"brightness {quality.brightness:.0f}, under {limits.min_brightness:g}"
    if quality.brightness > limits.max_brightness:
        yield "blown out", f"brightness {quality.brightness:.0f}, over {limits.max_brightness:g}"
    elif quality.clipped > limits.max_clipped:
        share = f"{quality.clipped:.0%} black or white"
        yield "blown out", f"{share}, over {limits.max_clipped:.0%}"
    if quality.sharpness < limits.min_sharpness:
        yield "blurred", f"sharpness {quality.sharpness:.1f}, under {limits.min_sharpness:g}"
    if file_scan.faces == 0:
        yield "no face", "the face finder found none"
    elif file_scan.faces is not None and file_scan.faces > 1:
        yield "several faces", f"{file_scan.faces} of similar size"
