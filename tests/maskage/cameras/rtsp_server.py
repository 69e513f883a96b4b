"""A real RTSP camera on loopback, by GStreamer: `python rtsp_server.py PORT`; ends when killed.

Runs in whatever Python has GStreamer's bindings (Debian: python3-gi, gir1.2-gst-rtsp-server-1.0,
gstreamer1.0-plugins-good and -ugly), which is seldom the project's own.
"""

import importlib
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

PIPELINE = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1 "
    "! x264enc tune=zerolatency key-int-max=25 ! rtph264pay name=pay0 pt=96 )"
)


@cache
def find_python() -> str | None:
    """A Python that can run the server, or None."""
    check = (
        "import gi; gi.require_version('GstRtspServer', '1.0'); "
        "from gi.repository import Gst, GstRtspServer; Gst.init(None); "
        "assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('rtph264pay')"
    )
    for name in (sys.executable, "/usr/bin/python3", shutil.which("python3")):
        if name and Path(name).exists():
            answer = subprocess.run([name, "-c", check], capture_output=True)
            if answer.returncode == 0:
                return name
    return None


def start(port: int) -> subprocess.Popen[str]:
    """Start the server on 127.0.0.1 and wait until it listens."""
    python = find_python()
    assert python is not None
    process = subprocess.Popen(
        [python, __file__, str(port)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def stop(process: subprocess.Popen[str]) -> None:
    """Kill the server, as a power cut would."""
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def serve(port: str) -> None:
    gi: Any = importlib.import_module("gi")
    gi.require_version("GstRtspServer", "1.0")
    gst, rtsp, glib = (
        importlib.import_module(f"gi.repository.{name}")
        for name in ("Gst", "GstRtspServer", "GLib")
    )
    gst.init(None)
    server = rtsp.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = rtsp.RTSPMediaFactory()
    factory.set_launch(PIPELINE)
    factory.set_shared(True)
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print("ready", flush=True)
    glib.MainLoop().run()


if __name__ == "__main__":
    serve(sys.argv[1])
