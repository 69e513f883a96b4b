"""Photograph at a camera."""
