"""Builds the Lambda packages: one zip per service, the same bytes from the same sources."""
