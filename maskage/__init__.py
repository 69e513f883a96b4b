"""The ground that the four tools stand on, and the library to import."""

from maskage.telemetry import switch_off_telemetry

# Before any library that a module of ours imports, in every command, worker process and script.
switch_off_telemetry()
