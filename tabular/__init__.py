"""Reads tables: CSV files and files of examples."""
