"""Train many heads on frozen features to learn what a score or more photos are worth."""
