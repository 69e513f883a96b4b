"""ONNX Runtime without its reports to its maker. Import it from here, nowhere else.

The variable that switches the reports off is set before this import (see `maskage.telemetry`); its
own function is not enough.
"""

import onnxruntime

# A script may have imported ONNX Runtime before: no events from here on.
onnxruntime.disable_telemetry_events()

__all__ = ["onnxruntime"]
