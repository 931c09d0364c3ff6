"""A made-up past: what shops would have told, and the quick way to lay it down in an empty database."""
