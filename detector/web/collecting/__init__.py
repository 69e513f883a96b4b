"""Collect in the browser: visitors photograph into a dataset, under the rules of the terminal."""
