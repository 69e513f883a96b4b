"""Consent, and the removal of one person from everything that was made."""
