"""Figures and pages of a run, for MLflow."""
