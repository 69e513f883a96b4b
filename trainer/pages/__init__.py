"""A run's report, its model card, the comparison of runs, and their pictures."""
