"""The grammar that all four programs share: commands, options, near misses, shell completion."""
