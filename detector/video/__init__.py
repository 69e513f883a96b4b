"""Videos that can be played at every moment while they are written."""
