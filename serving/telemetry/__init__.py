"""Logs and metrics of the server."""

MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder in which processes share metrics; prometheus_client reads it
when it is imported."""
