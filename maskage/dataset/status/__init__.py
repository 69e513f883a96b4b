"""The state of a dataset: its figures, their tables, and advice on what to shoot next."""
