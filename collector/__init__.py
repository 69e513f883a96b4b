"""Photographs and labels faces, and keeps the photos safe."""

from maskage.telemetry import switch_off_telemetry

switch_off_telemetry()
