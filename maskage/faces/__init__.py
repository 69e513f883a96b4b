"""Faces: find them in a frame and cut them out."""
