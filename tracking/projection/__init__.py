"""Turns events and artifacts of a run into what MLflow shows, without MLflow."""
