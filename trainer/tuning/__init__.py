"""Trials of a sweep: choice of their settings, progress, files."""
