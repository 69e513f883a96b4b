"""The live view of a source."""
