"""Transformation of raw columns, vocabularies, and feature columns."""
