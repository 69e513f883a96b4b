"""Runs a trained bundle on pictures, videos and live cameras."""

from maskage.telemetry import switch_off_telemetry

switch_off_telemetry()
