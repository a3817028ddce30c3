"""Measures examples by the batch."""
