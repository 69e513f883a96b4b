"""Boxes and classes that people drew on pictures with annotation tools, in the files of these."""
