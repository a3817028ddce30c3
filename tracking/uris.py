"""Tracking URIs: whether they name a server, and what of them may be shown."""

import re


def is_server(tracking_uri: str) -> bool:
    """Whether a tracking URI names a server, which is asked by HTTP, and not a store."""
    return tracking_uri.startswith(("http://", "https://"))


def hide_credentials(text: str) -> str:
    """Replaces user and password in all URIs of a text that have them, be there an `@` in them."""
    return re.sub(r"//[^/\s]*@", "//***@", text)
