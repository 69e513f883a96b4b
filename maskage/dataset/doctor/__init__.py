"""Compare a dataset's folders with its manifest, and repair what differs."""
