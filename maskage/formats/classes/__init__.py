"""classes.toml, and the note of a change of classes that is under way."""
