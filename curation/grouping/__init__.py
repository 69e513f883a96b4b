"""Which photos belong together: look-alikes, groups, duplicates, conflicts, people in names."""
