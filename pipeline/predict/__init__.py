"""Predicts for CSV files of any size with a pushed model, block by block on Beam."""
