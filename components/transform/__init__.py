"""Transforms examples in batches."""
