"""Watch a source live."""
