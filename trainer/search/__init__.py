"""Choose a network for a curated set within a budget of time: `trainer search`."""
