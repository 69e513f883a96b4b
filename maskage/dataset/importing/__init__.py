"""Photos that people already have: which class each is of, and how they come into a dataset."""
