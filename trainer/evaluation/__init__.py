"""Measure how good a model is, without Keras."""
