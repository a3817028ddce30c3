"""Writes one MLflow run per pipeline run, in a separate process that the runner sends events to."""
