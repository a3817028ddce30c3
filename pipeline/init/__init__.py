"""Inspects CSV files and writes a first configuration for them."""
