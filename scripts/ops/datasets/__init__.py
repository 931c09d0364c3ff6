"""Datasets over the HTTP API."""
