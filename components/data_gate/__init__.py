"""Stops a run if its data has errors, and describes them."""
