"""Checks that make a stranger's file safe to read."""
