"""Snapshots of a dataset: taken, compared, restored, and reached when somebody is forgotten."""
