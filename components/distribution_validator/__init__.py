"""Measures how far the data's distributions are from those of other data, column by column."""
