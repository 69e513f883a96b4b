"""ONNX Runtime, made ready: nothing is reported to its maker. Import it from here, nowhere else.

What really keeps it quiet is set before this import (see `maskage.telemetry`); its own function
alone does not.
"""

import onnxruntime

# For scripts that imported ONNX Runtime before us: no events from here on.
onnxruntime.disable_telemetry_events()

__all__ = ["onnxruntime"]
