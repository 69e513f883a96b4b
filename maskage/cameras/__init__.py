"""Sources of frames: webcams, streams, videos, folders of pictures."""
