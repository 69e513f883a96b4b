"""Photos on their way into a network."""
