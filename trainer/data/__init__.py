"""Read, augment and batch photos for a network."""
