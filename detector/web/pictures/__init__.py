"""Pictures that visitors send: forms, the queue, and their classification."""
