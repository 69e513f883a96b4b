"""Rendered people for the demo camera."""
