"""Computes statistics of examples in batches."""
