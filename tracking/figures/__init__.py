"""Draws figures and HTML pages of a run."""
