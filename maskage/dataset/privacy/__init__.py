"""Consent, and the removal of one person from a dataset and what was made from it."""
