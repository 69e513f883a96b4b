"""The history of a live view: alarms since the start, and the files that it has kept."""
