"""A dataset of labelled photos on the disk, and what may be done with it."""
