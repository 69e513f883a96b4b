"""The ground that the four tools stand on, and the library to import."""
