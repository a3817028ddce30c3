"""Conversion of requests and responses between JSON or protocol buffers and NumPy arrays."""
