"""Build the curated set that a plan describes."""
