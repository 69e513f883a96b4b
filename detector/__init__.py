"""Runs a trained bundle on pictures, videos and live cameras."""
