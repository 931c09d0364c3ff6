"""Builds what Lambda runs: one zip per service, the same bytes from the same sources."""
