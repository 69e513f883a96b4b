"""Pictures: decode, encode, judge, compare, and draw as terminal text."""
