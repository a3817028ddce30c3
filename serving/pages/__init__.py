"""What the server shows of its models: OpenAPI, and a page."""
