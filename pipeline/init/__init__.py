"""Looks at a CSV file and writes a first configuration for it."""
