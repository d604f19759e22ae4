"""The client for asyncio."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx2
from typing_extensions import Self, Unpack

from . import _calls
from ._answers import Answer, Request
from ._async_transport import AsyncTransport
from ._calls import Page, Positions
from .errors import ConfigurationError
from .lease import AsyncLease, acquire_async
from .mirror import AsyncMirror
from .models import BatchResult, Deleted, LeaseRecord, Patch, PutObject, Query, StoredObject, Version
from .options import (
    AnyWriteOptions,
    BatchOptions,
    CallOptions,
    Endpoints,
    Fence,
    GetOptions,
    LeaseOptions,
    ListOptions,
    PageOptions,
    ReadOptions,
    Retry,
    Token,
    WatchOptions,
    WriteOptions,
    settings_of,
)
from .pages import AsyncPages
from .watch import AsyncWatch


class AsyncNamespace:
    """A client bound to one namespace. Made by ``client.namespace(ns)``."""

    def __init__(self, transport: AsyncTransport, name: str, fence: Fence | None = None) -> None:
        self._transport = transport
        self.name = name
        """As in ``client.namespace(name)``."""
        self._fence = fence

    async def put(self, object: PutObject | Mapping[str, Any], **options: Unpack[WriteOptions]) -> StoredObject:
        """Stores an object; one of the same id is replaced whole. Returns when the write is durable on a quorum."""
        return await self._transport.run(_calls.put(self.name, object, self._fenced(options)))

    async def get(self, id: str, **options: Unpack[GetOptions]) -> StoredObject:
        """Gives an object, as it is or as it was at a moment; raises ``NotFoundError`` where there is none."""
        return await self._transport.run(_calls.get(self.name, id, options, self._transport.session))

    async def at(self, moment: int | datetime | str, id: str, **options: Unpack[ReadOptions]) -> StoredObject:
        """Gives an object as it was: after the write at this position, or at this time."""
        return await self._transport.run(_calls.get(self.name, id, {**options, **_calls.at(moment)}, self._transport.session))

    async def patch(self, id: str, patch: Patch, **options: Unpack[WriteOptions]) -> StoredObject:
        """Changes parts of an object: a merge patch, or, as a list, a JSON patch. Raises ``NotFoundError``."""
        return await self._transport.run(_calls.patch(self.name, id, patch, self._fenced(options)))

    async def delete(self, id: str, **options: Unpack[WriteOptions]) -> Deleted:
        """Deletes an object; raises ``NotFoundError`` where there is none."""
        return await self._transport.run(_calls.delete(self.name, id, self._fenced(options)))

    async def batch(self, operations: Sequence[Mapping[str, Any]], **options: Unpack[BatchOptions]) -> BatchResult:
        """Carries out all operations at one position, or none of them; at most 128."""
        return await self._transport.run(_calls.batch(self.name, operations, self._fenced(options)))

    async def lease_holder(self, key: str, **options: Unpack[CallOptions]) -> LeaseRecord:
        """Who holds a lease; raises ``NotFoundError`` when nobody does."""
        return await self._transport.run(_calls.lease_holder(self.name, key, options))

    def list(self, **options: Unpack[ListOptions]) -> AsyncPages[StoredObject]:
        """The objects in the order of their ids."""

        def fetch(limit: int, cursor: str | None) -> Awaitable[Page[StoredObject]]:
            return self._transport.run(_calls.list_page(self.name, options.get("prefix"), limit, cursor, options, self._transport.session))

        return AsyncPages(fetch, options)

    def query(self, query: Query, **options: Unpack[PageOptions]) -> AsyncPages[StoredObject]:
        """The objects that meet all conditions."""

        def fetch(limit: int, cursor: str | None) -> Awaitable[Page[StoredObject]]:
            return self._transport.run(_calls.query_page(self.name, query, limit, cursor, options, self._transport.session))

        return AsyncPages(fetch, options)

    def history(self, id: str, **options: Unpack[PageOptions]) -> AsyncPages[Version]:
        """The versions of an object, newest first."""

        def fetch(limit: int, cursor: str | None) -> Awaitable[Page[Version]]:
            return self._transport.run(_calls.history_page(self.name, id, limit, cursor, options, self._transport.session))

        return AsyncPages(fetch, options)

    def watch(self, **options: Unpack[WatchOptions]) -> AsyncWatch:
        """Gives every change once, in order, across any number of connections, until the loop is left."""
        return AsyncWatch(self._transport, self.name, options)

    def mirror(self, prefix: str | None = None) -> AsyncMirror:
        """Keeps a copy of the namespace in memory, and keeps it current."""
        return AsyncMirror(self._transport, self.name, prefix)

    async def lease(self, key: str, **options: Unpack[LeaseOptions]) -> AsyncLease:
        """Acquires a lease and keeps it until it is released: ``async with await ns.lease(…) as lease``."""
        return await acquire_async(self._transport, self.name, key, options)

    def fenced_by(self, lease: Fence) -> AsyncNamespace:
        """The same namespace, whose writes happen only while the lease is held."""
        return AsyncNamespace(self._transport, self.name, lease)

    def _fenced(self, options: AnyWriteOptions) -> AnyWriteOptions:
        return options if self._fence is None else {"lease": self._fence, **options}


class AsyncClient:
    """A client of AgentState for asyncio. It belongs to one event loop.

    >>> import asyncio
    ... import agentstate
    ...
    ... async def main() -> None:
    ...     async with agentstate.AsyncClient("http://127.0.0.1:8080") as client:
    ...         await client.put("agent://demo", {"id": "task-1", "body": {"status": "running"}})
    ...         async for event in client.watch("agent://demo", initial=True):
    ...             print(event.type, event.id)
    ...
    ... asyncio.run(main())
    ... # PUT task-1
    """

    def __init__(
        self,
        endpoints: Endpoints | None = None,
        *,
        region: str | None = None,
        token: Token = None,
        session: bool = False,
        timeout: float = 15.0,
        retry: Retry | None = None,
        max_response_bytes: int = 256 * 1024 * 1024,
        http: httpx2.AsyncClient | None = None,
    ) -> None:
        """Makes a client; it connects when it is used.

        ``endpoints`` are the nodes to ask, in order of preference; default ``AGENTSTATE_ENDPOINT`` (separated by
        commas), else ``http://127.0.0.1:8080``. Nodes of ``region`` are asked first. ``token`` is the capability, or
        what gives a current one before each request; default ``AGENTSTATE_TOKEN``, else ``AGENTSTATE_API_KEY``;
        ``False`` sends none. With ``session`` reads may be answered by the nearest replica, but never with less than
        this client has written and read before. ``timeout`` is in seconds, for one attempt. ``http`` brings a client
        of httpx2 with its proxies, certificates or transport; it is not closed.
        """
        settings = settings_of(
            endpoints,
            region=region,
            token=token,
            timeout=timeout,
            retry=retry,
            max_response_bytes=max_response_bytes,
        )
        self._http = http
        self._transport = AsyncTransport(settings, Positions() if session else None, http)

    def namespace(self, ns: str) -> AsyncNamespace:
        """A view that is bound to a namespace."""
        return AsyncNamespace(self._transport, ns)

    def session(self) -> Self:
        """Another client of the same kind, with ``session=True``. It has connections of its own, to be closed, too."""
        client = type(self).__new__(type(self))
        client._http = self._http
        client._transport = AsyncTransport(self._transport.settings, Positions(), self._http)
        return client

    def position(self, ns: str) -> int | None:
        """The newest position that this session has seen of a namespace, to be told to another program."""
        return None if self._transport.session is None else self._transport.session.get(ns)

    def saw(self, ns: str, position: int) -> None:
        """From now on this session's reads show at least what is at this position."""
        if self._transport.session is None:
            raise ConfigurationError("this client is no session")
        self._transport.session.saw(ns, position)

    async def put(self, ns: str, object: PutObject | Mapping[str, Any], **options: Unpack[WriteOptions]) -> StoredObject:
        """Stores an object; one of the same id is replaced whole. Returns when the write is durable on a quorum."""
        return await self._transport.run(_calls.put(ns, object, options))

    async def get(self, ns: str, id: str, **options: Unpack[GetOptions]) -> StoredObject:
        """Gives an object, as it is or as it was at a moment; raises ``NotFoundError`` where there is none."""
        return await self._transport.run(_calls.get(ns, id, options, self._transport.session))

    async def at(self, ns: str, moment: int | datetime | str, id: str, **options: Unpack[ReadOptions]) -> StoredObject:
        """Gives an object as it was: after the write at this position, or at this time."""
        return await self._transport.run(_calls.get(ns, id, {**options, **_calls.at(moment)}, self._transport.session))

    async def patch(self, ns: str, id: str, patch: Patch, **options: Unpack[WriteOptions]) -> StoredObject:
        """Changes parts of an object: a merge patch, or, as a list, a JSON patch. Raises ``NotFoundError``."""
        return await self._transport.run(_calls.patch(ns, id, patch, options))

    async def delete(self, ns: str, id: str, **options: Unpack[WriteOptions]) -> Deleted:
        """Deletes an object; raises ``NotFoundError`` where there is none."""
        return await self._transport.run(_calls.delete(ns, id, options))

    async def batch(self, ns: str, operations: Sequence[Mapping[str, Any]], **options: Unpack[BatchOptions]) -> BatchResult:
        """Carries out all operations at one position, or none of them; at most 128."""
        return await self._transport.run(_calls.batch(ns, operations, options))

    async def lease_holder(self, ns: str, key: str, **options: Unpack[CallOptions]) -> LeaseRecord:
        """Who holds a lease; raises ``NotFoundError`` when nobody does."""
        return await self._transport.run(_calls.lease_holder(ns, key, options))

    def list(self, ns: str, **options: Unpack[ListOptions]) -> AsyncPages[StoredObject]:
        """The objects in the order of their ids."""

        def fetch(limit: int, cursor: str | None) -> Awaitable[Page[StoredObject]]:
            return self._transport.run(_calls.list_page(ns, options.get("prefix"), limit, cursor, options, self._transport.session))

        return AsyncPages(fetch, options)

    def query(self, ns: str, query: Query, **options: Unpack[PageOptions]) -> AsyncPages[StoredObject]:
        """The objects that meet all conditions."""

        def fetch(limit: int, cursor: str | None) -> Awaitable[Page[StoredObject]]:
            return self._transport.run(_calls.query_page(ns, query, limit, cursor, options, self._transport.session))

        return AsyncPages(fetch, options)

    def history(self, ns: str, id: str, **options: Unpack[PageOptions]) -> AsyncPages[Version]:
        """The versions of an object, newest first."""

        def fetch(limit: int, cursor: str | None) -> Awaitable[Page[Version]]:
            return self._transport.run(_calls.history_page(ns, id, limit, cursor, options, self._transport.session))

        return AsyncPages(fetch, options)

    def watch(self, ns: str, **options: Unpack[WatchOptions]) -> AsyncWatch:
        """Gives every change once, in order, across any number of connections, until the loop is left."""
        return AsyncWatch(self._transport, ns, options)

    def mirror(self, ns: str, prefix: str | None = None) -> AsyncMirror:
        """Keeps a copy of a namespace in memory, and keeps it current."""
        return AsyncMirror(self._transport, ns, prefix)

    async def lease(self, ns: str, key: str, **options: Unpack[LeaseOptions]) -> AsyncLease:
        """Acquires a lease and keeps it until it is released: ``async with await client.lease(…) as lease``."""
        return await acquire_async(self._transport, ns, key, options)

    async def request(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Any other request, for instance of ``/admin``, with this client's endpoints, token and errors.

        It is retried as all others are, so it must be one that may arrive twice, or carry an idempotency key.
        """
        return await self._transport.send(Request(method, path, dict(headers or {}), content))

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
