"""Tracking URIs: server or store, and without credentials."""

import re


def is_server(tracking_uri: str) -> bool:
    """Tells whether a tracking URI is that of an HTTP server rather than of a store."""
    return tracking_uri.startswith(("http://", "https://"))


def hide_credentials(text: str) -> str:
    """Replaces user and password in all URIs of a text, also if they contain an `@`."""
    return re.sub(r"//[^/\s]*@", "//***@", text)
