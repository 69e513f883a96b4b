"""The lines that say what became of the pictures of a folder."""

from collector.capture.picture_desk import PictureDesk
from collector.capture.picture_opener import KnownPictures
from maskage.cameras.sources import Camera, PictureFolder
from maskage.pictures.picture_files import describe_left_out


def describe_folder(camera: Camera, desk: PictureDesk, known: KnownPictures) -> list[str]:
    """Return what became of each picture of a folder; empty for any other source.

    Args:
        camera: The source.
        desk: The desk that its pictures were labelled at.
        known: Its pictures that were not shown.
    """
    if not isinstance(camera, PictureFolder):
        return []
    unread = _unread(camera)
    left = (camera.frame_count or 0) - known.count - desk.dealt - len(unread)
    words = [
        desk.describe_counts() or "none labelled",
        f"{len(unread):,} could not be read" if unread else "",
        known.describe(),
        f"{left:,} left for the next time" if left > 0 else "",
    ]
    uncounted = f" Presses that counted for no picture: {desk.uncounted:,}." * (desk.uncounted > 0)
    lines = [
        f"Of {camera.frame_count:,} pictures in {camera.name}: {', '.join(filter(None, words))}."
    ]
    copies = [f"{copy}; passed over." for copy in desk.copies]
    return [lines[0] + uncounted, *copies, *unread, *describe_left_out(camera.left_out)]


def describe_unread(camera: Camera, known: KnownPictures) -> str | None:
    """Return the reason why no picture of a folder could be shown; None where one could be."""
    if not isinstance(camera, PictureFolder):
        return None
    unread = _unread(camera)
    if not unread or known.count or len(unread) < (camera.frame_count or 0):
        return None
    return f"{camera.name}: none of its {len(unread)} pictures can be read. {unread[0]}"


def _unread(camera: PictureFolder) -> list[str]:
    # A picture that was gone back to may have been tried twice.
    return list(dict.fromkeys(camera.skipped))
