"""Brings a checkout to AWS: checked, packaged, planned, consented to, applied, migrated and verified."""
