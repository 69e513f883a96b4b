"""Decide for each photo whether it is kept, why not, and in which split it goes."""
