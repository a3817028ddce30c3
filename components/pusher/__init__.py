"""Pushes a blessed model by one atomic rename, as a version with a higher number."""
