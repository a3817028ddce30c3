"""Builds the TFX pipeline: its nodes and their arguments."""
