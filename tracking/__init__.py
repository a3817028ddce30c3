"""One MLflow run per pipeline run, written by a process of its own from what the runner reports."""
