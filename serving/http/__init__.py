"""HTTP beneath the REST interface."""
