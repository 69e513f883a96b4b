"""What people look at: a run's report, its model card, the comparison, and their pictures."""
