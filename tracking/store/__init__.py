"""Writes projections of runs to MLflow."""
