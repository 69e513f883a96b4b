"""Trained networks in ONNX Runtime."""
