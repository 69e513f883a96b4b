"""Trains transfer models on a curated dataset and packs what the detector runs."""

from maskage.telemetry import switch_off_telemetry

switch_off_telemetry()
