"""HTTP/1.1 for the REST interface: connections, parsing, messages and routes."""
