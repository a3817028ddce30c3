"""Descriptions of the served models: an HTML page and an OpenAPI document."""
