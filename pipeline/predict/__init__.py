"""Predictions for CSV files of any size by a pushed model: Beam, block by block."""
