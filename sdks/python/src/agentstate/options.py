"""What can be said about a client and its calls, with the defaults."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar, Union
from urllib.parse import urlsplit

from typing_extensions import TypedDict

from .checkpoint import Checkpoint
from .errors import ConfigurationError

_DEFAULT_ENDPOINT = "http://127.0.0.1:8080"
# What an HTTP header can carry of a token (RFC 6750, section 2.1).
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True)
class Endpoint:
    """The address of a node, and its region where that is known; regions are also learnt from answers."""

    url: str
    """For instance ``http://127.0.0.1:8080``."""
    region: str | None = None
    """As in the node's ``REGION``."""


@dataclass(frozen=True)
class Retry:
    """How often and when a request is sent again. Only what may be repeated safely is."""

    max_retries: int = 8
    """Further attempts after the first; 0 for none."""
    base_delay: float = 0.1
    """Seconds before the first retry, doubled each time; half of it is chance."""
    max_delay: float = 2.0
    """The longest such wait, in seconds."""
    max_retry_after: float = 60.0
    """A longer ``Retry-After`` than this is not waited for, but raised; seconds."""


Endpoints = Union[str, Sequence[Union[str, Endpoint]]]
"""One node, or several: with commas between them, or as a list."""
Token = Union[str, Callable[[], str], Literal[False], None]
"""A capability, or what gives one before each request. ``None`` asks the environment, ``False`` sends none."""


class Fence(Protocol):
    """What proves to the server that a lease is held: a lease itself, or a ``LeaseRecord`` from elsewhere."""

    @property
    def key(self) -> str:
        """The key of the lease."""

    @property
    def token(self) -> int:
        """The fencing number that its holder was given."""


class CallOptions(TypedDict, total=False):
    """What every call takes."""

    request_id: str
    """Sent as ``X-Request-Id``, and found again in the server's log."""


class ReadOptions(CallOptions, total=False):
    """What every read takes."""

    consistency: Literal["linearizable", "stale"]
    """``linearizable`` (the default) sees every write that was answered before; ``stale`` is answered by the nearest
    replica at once. In a session the default is ``stale``, but never older than what the session has seen."""
    min_seq: int
    """With ``stale``: waits until the replica has come to this position."""


class GetOptions(ReadOptions, total=False):
    """The moment to read at."""

    at_seq: int
    """The object as it was after the write at this position."""
    at: datetime | str
    """The object as it was at this time."""


class PageOptions(ReadOptions, total=False):
    """What is asked of a listing."""

    limit: int
    """How many items at most, over all pages; default all."""
    page_size: int
    """How many items one request asks for, 1 to 1,000; default 100."""
    cursor: str
    """Where to begin: the ``next_cursor`` of an earlier page."""


class ListOptions(PageOptions, total=False):
    """What a list takes."""

    prefix: str
    """Beginning of the ids."""


class BatchOptions(CallOptions, total=False):
    """What a batch takes. Its operations have their conditions themselves."""

    lease: Fence
    """The write happens only while this lease is held; else ``FenceStaleError``."""
    idempotency_key: str
    """One logical write; by default each call is one, and its retries have the same key."""


class WriteOptions(BatchOptions, total=False):
    """What every write of one object takes."""

    if_match: int
    """The write happens only on this version; else ``PreconditionFailedError``."""
    if_none_match: Literal["*"]
    """The write happens only if there is no such object; else ``PreconditionFailedError``."""


AnyWriteOptions = TypeVar("AnyWriteOptions", BatchOptions, WriteOptions)


class LeaseOptions(CallOptions, total=False):
    """How a lease is asked for."""

    ttl_seconds: float
    """Seconds until it ends unless it is renewed, which happens by itself. Default 30."""
    owner: str
    """Who holds it; default a random name for each call."""
    wait: float
    """Seconds to wait for another holder to let it go; default 0: ``LeaseHeldError`` at once."""


class WatchOptions(TypedDict, total=False):
    """What a watch is to give, from where on, and how it deals with trouble."""

    prefix: str
    """Beginning of the ids."""
    type: str
    """The type that an object must have."""
    tags: dict[str, str]
    """Tags that an object must have, with these values."""
    from_commit: int
    """The first position to give, inclusive; 1 is the beginning of the history."""
    after: int
    """The last position that is known; what follows it is given."""
    initial: bool
    """Gives the state as it is first, as ``PUT`` events, then what happens next."""
    bookmarks: bool
    """Gives ``BOOKMARK`` events, too."""
    resync: Literal["raise", "continue"]
    """When the stream cannot simply go on: raise ``ResyncRequired``, or continue with a ``RESYNC`` event."""
    checkpoint: Checkpoint
    """Where the position is kept between two runs. A position there comes before the other options."""
    checkpoint_interval: float
    """Seconds between two saves at least; default 1, 0 for every position."""
    silence: float
    """Seconds without a sign of life (a node gives one every 5 s) until it reconnects; default 20."""
    max_event_bytes: int
    """The largest event that is read; default 16 MiB."""
    on_disconnect: Callable[[Exception], None]
    """Told each time that the connection is lost and will be made again."""


@dataclass(frozen=True)
class Settings:
    """The options of a client with their defaults."""

    endpoints: tuple[Endpoint, ...]
    region: str | None
    token: Callable[[], str | None]
    timeout: float
    retry: Retry
    max_response_bytes: int


def settings_of(
    endpoints: Endpoints | None,
    *,
    region: str | None,
    token: Token,
    timeout: float,
    retry: Retry | None,
    max_response_bytes: int,
) -> Settings:
    """Fills in the defaults; what is wrong is told here, before any request."""
    given = endpoints or os.environ.get("AGENTSTATE_ENDPOINT") or _DEFAULT_ENDPOINT
    return Settings(
        endpoints=_endpoints_of(given),
        region=region,
        token=_token_of(token),
        timeout=timeout,
        retry=retry or Retry(),
        max_response_bytes=max_response_bytes,
    )


def _endpoints_of(given: Endpoints) -> tuple[Endpoint, ...]:
    listed: Sequence[str | Endpoint] = given.split(",") if isinstance(given, str) else given
    endpoints = [one if isinstance(one, Endpoint) else Endpoint(one) for one in listed]
    return tuple(Endpoint(_checked_url(one.url.strip()), one.region) for one in endpoints)


def _checked_url(text: str) -> str:
    try:
        url = urlsplit(text)
        valid = url.scheme in ("http", "https") and bool(url.hostname) and (url.port or 1) > 0
    except ValueError:
        valid = False
    if not valid:
        shown = re.sub(r"//[^/@]*@", "//…@", text)
        raise ConfigurationError(f"{shown!r} is no address of a node, such as {_DEFAULT_ENDPOINT}")
    if url.username is not None or url.password is not None:
        raise ConfigurationError(f'the endpoint at {url.hostname} has a password in it; tokens go into "token"')
    return f"{url.scheme}://{url.netloc}{url.path.rstrip('/')}"


def _token_of(given: Token) -> Callable[[], str | None]:
    if given is False:
        return lambda: None
    if callable(given):
        return lambda: _checked_token(given())
    token = given or os.environ.get("AGENTSTATE_TOKEN") or os.environ.get("AGENTSTATE_API_KEY")
    if not token:
        return lambda: None
    checked = _checked_token(token)
    return lambda: checked


def _checked_token(token: str) -> str:
    """A header with another token would be refused, too, but by an error that repeats it."""
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise ConfigurationError("the token has characters that no token has (a line end or a space?)")
    return token
