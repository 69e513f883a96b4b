"""A real RTSP server on loopback: frames, power cut, return."""

import socket
import time

import pytest

from maskage.cameras.sources import open_camera
from maskage.errors import CameraError
from tests.collector.capture.watcher import Watcher
from tests.maskage.cameras import rtsp_server

pytestmark = pytest.mark.slow


@pytest.fixture
def port() -> int:
    if rtsp_server.find_python() is None:
        pytest.skip("needs GStreamer's RTSP server: see tests/maskage/cameras/rtsp_server.py")
    with socket.create_server(("127.0.0.1", 0)) as free:
        number = free.getsockname()[1]
    return int(number)


def test_frames_come_and_are_back_within_5_s_of_a_power_cut(port: int) -> None:
    url = f"rtsp://127.0.0.1:{port}/live"
    server = rtsp_server.start(port)
    try:
        with Watcher(url) as watcher:
            watcher.wait_for_picture()
            assert watcher.seen[0][1].frame.pixels.shape == (240, 320, 3)
            rtsp_server.stop(server)
            cut_s = time.monotonic()
            assert watcher.wait_for_loss(cut_s) - cut_s < 2.0
            time.sleep(2)
            server = rtsp_server.start(port)
            back_s = time.monotonic()
            assert watcher.wait_for_picture(back_s) - back_s < 5.0
    finally:
        rtsp_server.stop(server)


def test_nobody_there_is_explained_without_the_password(port: int) -> None:
    with pytest.raises(CameraError, match="no stream can be opened there") as fault:
        open_camera(f"rtsp://anna:secret@127.0.0.1:{port}/live")
    assert "secret" not in str(fault.value)
