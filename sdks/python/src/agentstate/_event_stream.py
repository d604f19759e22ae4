"""Takes a ``text/event-stream`` apart (WHATWG HTML, section 9.2.6)."""

from __future__ import annotations

from typing import NamedTuple

from .errors import ProtocolError


class StreamEvent(NamedTuple):
    """One event of a stream; ``id`` is there when this event has an ``id:`` line of its own."""

    data: bytes
    id: bytes | None


class EventStreamParser:
    """Holds at most one event, of at most so many bytes: whatever sends more without an end is no node."""

    def __init__(self, max_event_bytes: int) -> None:
        self._max = max_event_bytes
        self._line: list[bytes] = []
        """The beginning of a line whose end has not come yet."""
        self._data: bytes | None = None
        self._id: bytes | None = None
        self._held = 0
        self._ended_with_return = False
        self._begun = False

    def push(self, chunk: bytes) -> list[StreamEvent]:
        """The events that are complete with these bytes."""
        if not chunk:
            return []
        lines = self._with_line_feeds(chunk).split(b"\n")
        rest = lines.pop()
        events: list[StreamEvent] = []
        for line in lines:
            if self._line:
                self._line.append(line)
                line = b"".join(self._line)
                self._line = []
            event = self._take(line)
            if event is not None:
                events.append(event)
        if rest:
            self._line.append(rest)
            self._count(len(rest))
        return events

    def _take(self, line: bytes) -> StreamEvent | None:
        if not self._begun:
            self._begun = True
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line:
            data, self._data = self._data, None
            event_id, self._id = self._id, None
            self._held = 0
            return None if data is None else StreamEvent(data, event_id)
        field, _, value = line.partition(b":")
        if not field:
            # A comment is over with its line: many of them between two events hold no memory.
            self._held = len(self._data or b"")
            return None
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data = value if self._data is None else self._data + b"\n" + value
            self._held = 0
            self._count(len(self._data))
        elif field == b"id" and b"\0" not in value:
            self._id = value
        return None

    def _count(self, length: int) -> None:
        self._held += length
        if self._held > self._max:
            raise ProtocolError(f"a watch event of more than {self._max} bytes")

    def _with_line_feeds(self, chunk: bytes) -> bytes:
        """A line may end with CR, LF or both; a node sends LF, so that this costs one look."""
        was_return = self._ended_with_return
        if not was_return and b"\r" not in chunk:
            return chunk
        self._ended_with_return = chunk.endswith(b"\r")
        if was_return:
            chunk = chunk.removeprefix(b"\n")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
