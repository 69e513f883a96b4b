"""Paint masks on bare faces."""
