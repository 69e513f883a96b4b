"""Screens that show the live view."""
