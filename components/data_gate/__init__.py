"""Stops a run whose data is wrong, and says what is wrong with it."""
