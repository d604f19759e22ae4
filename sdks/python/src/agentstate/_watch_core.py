"""A watch without its connections: what to ask for, what to make of what comes, and what to do about trouble."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal, NamedTuple, Union
from urllib.parse import quote, urlencode

from pydantic import Field, TypeAdapter, ValidationError

from ._answers import Request
from ._attempts import backoff
from ._event_stream import StreamEvent
from ._progress import Progress
from .checkpoint import CheckpointWriter
from .errors import (
    AgentStateError,
    ApiError,
    CompactedError,
    ConfigurationError,
    ConnectionError,
    ProtocolError,
    ResyncRequired,
)
from .models import Answered, BookmarkEvent, DeleteEvent, PutEvent, ResyncEvent, WatchEvent
from .options import Retry, WatchOptions


class _OverflowEvent(Answered):
    type: Literal["OVERFLOW"]
    last_commit: int | None = None
    retry_after_ms: float = 0


class _EndEvent(Answered):
    type: Literal["END"]
    reason: str = "unknown"


_Wire = Union[PutEvent, DeleteEvent, BookmarkEvent, _OverflowEvent, _EndEvent]
_WIRE: TypeAdapter[_Wire] = TypeAdapter(Annotated[_Wire, Field(discriminator="type")])
_KNOWN = frozenset({"PUT", "DELETE", "BOOKMARK", "OVERFLOW", "END"})
# Statuses after which the same watch may well succeed later; others will not get better by asking again.
_PASSING = frozenset({408, 429, 500, 502, 503, 504})
# A node may answer for other nodes that have gone; the wait grows to this many seconds.
_LONGEST_WAIT = 10.0


class _Overflowed(AgentStateError):
    """The node has ended the stream, because this program is too slow."""


class Taken(NamedTuple):
    """An event to give, and a position that is done once the caller has come back for more."""

    event: WatchEvent | None
    position: int | None


class WatchCore:
    """The state of one watch, over all of its connections."""

    def __init__(self, ns: str, options: WatchOptions, retry: Retry) -> None:
        self._ns = ns
        self._options = options
        self._retry = Retry(base_delay=retry.base_delay, max_delay=_LONGEST_WAIT)
        self._failures = 0
        self._has_stood = False
        """Whether some connection has stood: then the watch outlasts any trouble."""
        self._overflow_wait = 0.0
        self._resync: ResyncEvent | None = None
        self._progress = self._beginning()
        self._bookmarks = options.get("bookmarks", False)
        self.silence = options.get("silence", 20.0)
        self.max_event_bytes = options.get("max_event_bytes", 16 * 1024 * 1024)
        self.writer = CheckpointWriter(options.get("checkpoint"), options.get("checkpoint_interval", 1.0))

    def _beginning(self) -> Progress:
        options = self._options
        saved = options["checkpoint"].load() if "checkpoint" in options else None
        if saved is not None:
            return Progress(saved, False)
        initial = options.get("initial", False)
        if initial and ("after" in options or "from_commit" in options):
            raise ConfigurationError("a watch starts with the initial state or at a position, not both")
        after = options.get("after")
        if after is None and "from_commit" in options:
            after = max(0, options["from_commit"] - 1)
        return Progress(after, initial)

    def request(self) -> Request:
        """What the next connection asks for."""
        options, progress = self._options, self._progress
        search: list[tuple[str, str]] = []
        if "prefix" in options:
            search.append(("prefix", options["prefix"]))
        if "type" in options:
            search.append(("type", options["type"]))
        search += [(f"tag.{name}", value) for name, value in options.get("tags", {}).items()]
        if progress.wants_initial:
            search.append(("initial", "true"))
        headers = {"accept": "text/event-stream"}
        if progress.position is not None and not progress.wants_initial:
            headers["last-event-id"] = str(progress.position)
        query = urlencode(search, quote_via=quote)
        return Request("GET", f"/v1/{quote(self._ns, safe='')}/watch{'?' if query else ''}{query}", headers)

    def connected(self, content_type: str) -> None:
        """A node has agreed to stream."""
        if not content_type.startswith("text/event-stream"):
            raise ProtocolError("the answer to a watch is no event stream, as a node would send it")
        self._has_stood = True
        self._progress.connected()

    def take(self, streamed: StreamEvent) -> list[Taken]:
        """What to give of an event that came; raises what ends the connection."""
        wire = _parsed(streamed)
        taken: list[Taken] = []
        if isinstance(wire, (PutEvent, DeleteEvent)):
            if self._progress.take(wire):
                taken.append(Taken(wire, None))
        elif isinstance(wire, _EndEvent):
            raise ConnectionError(f"the node ends the watch ({wire.reason})")
        elif isinstance(wire, _OverflowEvent):
            self._overflow(wire)
        self._failures = 0
        position = _position(streamed.id)
        if position is None:
            return taken
        taken += [Taken(event, None) for event in self._progress.reached(position, self._ns)]
        bookmark = wire if isinstance(wire, BookmarkEvent) and self._bookmarks else None
        taken.append(Taken(bookmark, position))
        return taken

    def _overflow(self, wire: _OverflowEvent) -> None:
        """What follows the last position comes after some time, unless the initial state was not complete."""
        if wire.last_commit is not None and not self._progress.wants_initial:
            self._progress.reached(wire.last_commit, self._ns)
        self._overflow_wait = wire.retry_after_ms / 1000
        raise _Overflowed

    def outlast(self, error: AgentStateError) -> None:
        """Returns when another connection may help; raises when it will not."""
        if isinstance(error, _Overflowed):
            return self._hand_over("overflow")
        if isinstance(error, CompactedError):
            self._hand_over("compacted", error.first_available)
            return self._progress.start_over()
        passes = isinstance(error, ConnectionError) or (isinstance(error, ApiError) and error.status in _PASSING)
        if not passes or not self._has_stood:
            raise error
        self._failures += 1
        if "on_disconnect" in self._options:
            self._options["on_disconnect"](error)
        return None

    def _hand_over(
        self, reason: Literal["overflow", "compacted"], first_available: int | None = None
    ) -> None:
        position = self._progress.position or 0
        if self._options.get("resync", "raise") != "continue":
            raise ResyncRequired(reason, position, first_available) from None
        self._resync = ResyncEvent(
            ns=self._ns, reason=reason, position=position, first_available=first_available
        )

    def resync(self) -> ResyncEvent | None:
        """What has to be told before the next connection."""
        event, self._resync = self._resync, None
        return event

    def pause(self) -> float:
        """Seconds until the next connection."""
        wait, self._overflow_wait = self._overflow_wait, 0.0
        return wait + (backoff(self._failures, self._retry) if self._failures > 0 else 0.0)


def _position(id_: bytes | None) -> int | None:
    return int(id_) if id_ is not None and id_.isdigit() and len(id_) <= 16 else None


def _parsed(streamed: StreamEvent) -> _Wire | None:
    """``None`` for an event of a kind that this version does not know."""
    try:
        return _WIRE.validate_json(streamed.data)
    except ValidationError:
        pass
    try:
        event: Any = json.loads(streamed.data)
    except ValueError:
        event = None
    if isinstance(event, dict) and isinstance(event.get("type"), str) and event["type"] not in _KNOWN:
        return None
    raise ProtocolError("an event of the watch is not what a node would send")
