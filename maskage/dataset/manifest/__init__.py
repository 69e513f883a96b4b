"""The manifest: what the folders of a dataset cannot say, in SQLite."""
