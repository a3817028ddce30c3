"""Writes to MLflow what it is to hold."""
