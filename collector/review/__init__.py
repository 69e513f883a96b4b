"""Look photos through in the gallery."""
