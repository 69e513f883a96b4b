"""Write videos that can be played at every moment."""
