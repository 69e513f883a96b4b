"""Photograph the face before a camera: what the shutter sees, what it refuses, what is saved."""
