"""Transforms examples by the batch."""
