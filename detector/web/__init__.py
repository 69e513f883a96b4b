"""The live view in a browser, and a small REST for other programs."""
