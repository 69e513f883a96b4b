"""Decide what becomes of every photo."""
