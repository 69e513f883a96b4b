"""Paint masks on photographed faces."""
