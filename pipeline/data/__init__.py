"""Checks the CSV files before a run, and chooses features by the content of their columns."""
