"""Paint the parts of a rendered person."""
