"""Verifies a running environment, link after link of the chain that an order takes."""
