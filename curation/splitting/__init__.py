"""Which split each group goes into, also for few people, and what such photos allow."""
