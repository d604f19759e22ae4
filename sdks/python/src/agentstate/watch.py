"""The changes of a namespace, over as many connections as it takes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from types import TracebackType

from ._async_transport import AsyncTransport
from ._event_stream import EventStreamParser
from ._transport import OpenStream, Transport
from ._watch_core import WatchCore
from .errors import AgentStateError, ConnectionError
from .models import WatchEvent
from .options import WatchOptions


class Watch:
    """Gives every change once, in order, until it is closed.

    The caller pulls: a slow loop slows the node's sending, and nothing piles up here.
    """

    def __init__(self, transport: Transport, ns: str, options: WatchOptions) -> None:
        self._transport = transport
        self._core = WatchCore(ns, options, transport.settings.retry)
        self._closed = threading.Event()
        self._stream: OpenStream | None = None
        self._events = self._run()

    def __iter__(self) -> Iterator[WatchEvent]:
        return self

    def __next__(self) -> WatchEvent:
        return next(self._events)

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends it, also from another thread: a loop over it is over then, without an error."""
        self._closed.set()
        stream = self._stream
        if stream is not None:
            stream.interrupt()
        try:
            self._events.close()
        except ValueError:
            pass  # Another thread is in the loop, and leaves it now.

    def _run(self) -> Generator[WatchEvent, None, None]:
        core = self._core
        try:
            while not self._closed.is_set():
                resync = core.resync()
                if resync is not None:
                    yield resync
                try:
                    yield from self._connection()
                except AgentStateError as error:
                    if self._closed.is_set():
                        return
                    core.outlast(error)
                self._closed.wait(core.pause())
        finally:
            core.writer.flush()

    def _connection(self) -> Generator[WatchEvent, None, None]:
        core = self._core
        self._stream = stream = self._transport.open(core.request(), core.silence)
        try:
            core.connected(stream.content_type)
            parser = EventStreamParser(core.max_event_bytes)
            for chunk in stream.chunks():
                for streamed in parser.push(chunk):
                    for event, position in core.take(streamed):
                        if event is not None:
                            yield event
                        if position is not None:
                            core.writer.processed(position)
                        if self._closed.is_set():
                            return
        except ConnectionError:
            stream.avoid_node()
            raise
        finally:
            self._stream = None
            stream.close()


class AsyncWatch:
    """Gives every change once, in order, until it is closed."""

    def __init__(self, transport: AsyncTransport, ns: str, options: WatchOptions) -> None:
        self._transport = transport
        self._core = WatchCore(ns, options, transport.settings.retry)
        self._events = self._run()

    def __aiter__(self) -> AsyncIterator[WatchEvent]:
        return self

    async def __anext__(self) -> WatchEvent:
        return await self._events.__anext__()

    async def __aenter__(self) -> AsyncWatch:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends it. A task that waits for the next event is ended by cancelling that task."""
        await self._events.aclose()

    async def _run(self) -> AsyncGenerator[WatchEvent, None]:
        core = self._core
        try:
            while True:
                resync = core.resync()
                if resync is not None:
                    yield resync
                try:
                    stream = await self._transport.open(core.request(), core.silence)
                    try:
                        core.connected(stream.content_type)
                        parser = EventStreamParser(core.max_event_bytes)
                        async for chunk in stream.chunks():
                            for streamed in parser.push(chunk):
                                for event, position in core.take(streamed):
                                    if event is not None:
                                        yield event
                                    if position is not None:
                                        core.writer.processed(position)
                    except ConnectionError:
                        stream.avoid_node()
                        raise
                    finally:
                        await stream.close()
                except AgentStateError as error:
                    core.outlast(error)
                await asyncio.sleep(core.pause())
        finally:
            core.writer.flush()
