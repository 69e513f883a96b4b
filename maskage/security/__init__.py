"""Check files from strangers before they are read or loaded."""
