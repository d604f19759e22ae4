"""The HTTP clients that a client makes for itself."""

from __future__ import annotations

import functools
import ssl

import httpx2

# A watch takes a connection for as long as it lasts; how many there are is the program's own affair.
_LIMITS = httpx2.Limits(max_connections=None, max_keepalive_connections=20)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Read once: reading the system's certificates takes longer than everything else about a new client."""
    return httpx2.create_ssl_context()


def new_client() -> httpx2.Client:
    """One for a client without an event loop."""
    return httpx2.Client(verify=_certificates(), limits=_LIMITS)


def new_async_client() -> httpx2.AsyncClient:
    """One for a client of asyncio."""
    return httpx2.AsyncClient(verify=_certificates(), limits=_LIMITS)
