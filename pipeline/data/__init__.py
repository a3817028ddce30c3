"""Checks the CSV files before a run, and chooses features by what stands in them."""
