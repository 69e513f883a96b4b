"""Screens of the live view."""
