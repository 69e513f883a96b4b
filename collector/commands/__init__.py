"""The commands of `collector`: their options, and what they print."""
