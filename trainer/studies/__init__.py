"""Train heads on frozen features to show what a split leaks and what more photos would bring."""
