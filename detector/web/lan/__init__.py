"""Serving the local network: this machine's names, a certificate of its own, the invitation."""
