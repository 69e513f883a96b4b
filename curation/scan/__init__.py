"""Scan photos for hashes, quality and faces: threads, processes, a cluster."""
