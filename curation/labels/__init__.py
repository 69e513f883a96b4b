"""Find photos whose label is probably wrong."""
