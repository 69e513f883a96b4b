"""Trains transfer models on a curated dataset and packs what the detector runs."""
