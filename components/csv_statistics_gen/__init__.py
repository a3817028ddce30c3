"""Computes statistics of CSV files without making examples."""
