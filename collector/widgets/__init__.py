"""Widgets that both screens share."""
