"""Measures the distance between the distributions of two data sets, column by column."""
