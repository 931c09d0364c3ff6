"""Files of a tenant's own: what they hold, and their rows as typed columns."""
