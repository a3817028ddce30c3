"""Evaluates a model with metrics per class, and writes a summary as JSON."""
