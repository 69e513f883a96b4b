"""Photographs and labels faces, and keeps the photos safe."""

from collector.telemetry import switch_off_telemetry

switch_off_telemetry()
