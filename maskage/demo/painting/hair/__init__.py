"""Paint hair and hats."""
