"""Backbones, heads, weights and the devices that they run on."""
