"""Photographs and labels faces, and keeps the photos safe."""
