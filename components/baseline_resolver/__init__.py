"""Resolver of the model that a candidate is compared with."""
