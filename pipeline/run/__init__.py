"""Runs a pipeline: node loop, progress on the screen, tracking, history and interrupts."""
