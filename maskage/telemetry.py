"""Switch off what libraries report to their makers.

`import maskage` calls `switch_off_telemetry`, and so does the import of each of the four tools, so
it comes before any library that a module of ours imports, in every command, worker and script.
"""

import os
import sys

SWITCHES = {
    # ONNX Runtime looks up mobile.events.data.microsoft.com some seconds after its import, and
    # writes a lasting device id and its events to ~/.cache/Microsoft (1.32; microsoft/onnxruntime
    # #27379). It reads this once, when it is imported.
    "ORT_DISABLE_TELEMETRY": "1",
    # albumentations asks the package index for its newest version when it is imported.
    "NO_ALBUMENTATIONS_UPDATE": "1",
    # FastAPI sends traces of what it answers where OTEL_EXPORTER_OTLP_ENDPOINT says so, which may
    # be set for other programs.
    "FASTAPI_OTEL_AUTO_CONFIGURE": "false",
    # TensorFlow turns this on when it is imported; it reports uptime on machines of Google's cloud.
    "ENABLE_RUNTIME_UPTIME_TELEMETRY": "0",
}
"""Environment variables and the values that they get, whatever the user's environment says."""

_REPORTERS = ("openvino_telemetry",)
"""Modules that only report. `import openvino` alone sends an event to www.google-analytics.com and
writes a lasting id to ~/intel. It works without this module, and has no variable to stop it."""


def switch_off_telemetry() -> None:
    """Keep libraries from reporting; to be called before they are imported."""
    os.environ.update(SWITCHES)
    for name in _REPORTERS:
        # For Python, None means that there is no such module; the type hints allow only modules.
        sys.modules[name] = None  # type: ignore[assignment]
