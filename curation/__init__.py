"""Turns a folder of labelled photos into a dataset whose test score means something."""
