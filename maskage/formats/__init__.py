"""Files that the tools exchange, one module for each format."""
