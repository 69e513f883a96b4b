"""Read a video file to its end, whatever is in it."""
