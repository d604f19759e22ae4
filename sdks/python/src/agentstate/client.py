"""The client for programs without an event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any

import httpx2
from typing_extensions import Self, Unpack

from . import _calls
from ._answers import Answer, Request
from ._transport import Transport
from ._calls import Page, Positions
from .errors import ConfigurationError
from .lease import Lease, acquire
from .mirror import Mirror
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
from .pages import Pages
from .watch import Watch


class Namespace:
    """A client bound to one namespace. Made by ``client.namespace(ns)``."""

    def __init__(self, transport: Transport, name: str, fence: Fence | None = None) -> None:
        self._transport = transport
        self.name = name
        """As in ``client.namespace(name)``."""
        self._fence = fence

    def put(self, object: PutObject | Mapping[str, Any], **options: Unpack[WriteOptions]) -> StoredObject:
        """Stores an object; one of the same id is replaced whole. Returns when the write is durable on a quorum."""
        return self._transport.run(_calls.put(self.name, object, self._fenced(options)))

    def get(self, id: str, **options: Unpack[GetOptions]) -> StoredObject:
        """Gives an object, as it is or as it was at a moment; raises ``NotFoundError`` where there is none."""
        return self._transport.run(_calls.get(self.name, id, options, self._transport.session))

    def at(self, moment: int | datetime | str, id: str, **options: Unpack[ReadOptions]) -> StoredObject:
        """Gives an object as it was: after the write at this position, or at this time."""
        return self._transport.run(_calls.get(self.name, id, {**options, **_calls.at(moment)}, self._transport.session))

    def patch(self, id: str, patch: Patch, **options: Unpack[WriteOptions]) -> StoredObject:
        """Changes parts of an object: a merge patch, or, as a list, a JSON patch. Raises ``NotFoundError``."""
        return self._transport.run(_calls.patch(self.name, id, patch, self._fenced(options)))

    def delete(self, id: str, **options: Unpack[WriteOptions]) -> Deleted:
        """Deletes an object; raises ``NotFoundError`` where there is none."""
        return self._transport.run(_calls.delete(self.name, id, self._fenced(options)))

    def batch(self, operations: Sequence[Mapping[str, Any]], **options: Unpack[BatchOptions]) -> BatchResult:
        """Carries out all operations at one position, or none of them; at most 128."""
        return self._transport.run(_calls.batch(self.name, operations, self._fenced(options)))

    def lease_holder(self, key: str, **options: Unpack[CallOptions]) -> LeaseRecord:
        """Who holds a lease; raises ``NotFoundError`` when nobody does."""
        return self._transport.run(_calls.lease_holder(self.name, key, options))

    def list(self, **options: Unpack[ListOptions]) -> Pages[StoredObject]:
        """The objects in the order of their ids."""

        def fetch(limit: int, cursor: str | None) -> Page[StoredObject]:
            return self._transport.run(_calls.list_page(self.name, options.get("prefix"), limit, cursor, options, self._transport.session))

        return Pages(fetch, options)

    def query(self, query: Query, **options: Unpack[PageOptions]) -> Pages[StoredObject]:
        """The objects that meet all conditions."""

        def fetch(limit: int, cursor: str | None) -> Page[StoredObject]:
            return self._transport.run(_calls.query_page(self.name, query, limit, cursor, options, self._transport.session))

        return Pages(fetch, options)

    def history(self, id: str, **options: Unpack[PageOptions]) -> Pages[Version]:
        """The versions of an object, newest first."""

        def fetch(limit: int, cursor: str | None) -> Page[Version]:
            return self._transport.run(_calls.history_page(self.name, id, limit, cursor, options, self._transport.session))

        return Pages(fetch, options)

    def watch(self, **options: Unpack[WatchOptions]) -> Watch:
        """Gives every change once, in order, across any number of connections, until the loop is left."""
        return Watch(self._transport, self.name, options)

    def mirror(self, prefix: str | None = None) -> Mirror:
        """Keeps a copy of the namespace in memory, and keeps it current."""
        return Mirror(self._transport, self.name, prefix)

    def lease(self, key: str, **options: Unpack[LeaseOptions]) -> Lease:
        """Acquires a lease and keeps it until it is released: ``with ns.lease(…) as lease``."""
        return acquire(self._transport, self.name, key, options)

    def fenced_by(self, lease: Fence) -> Namespace:
        """The same namespace, whose writes happen only while the lease is held."""
        return Namespace(self._transport, self.name, lease)

    def _fenced(self, options: AnyWriteOptions) -> AnyWriteOptions:
        return options if self._fence is None else {"lease": self._fence, **options}


class Client:
    """A client of AgentState. It may be used from several threads.

    >>> import agentstate
    >>> client = agentstate.Client("http://127.0.0.1:8080")
    >>> stored = client.put("agent://demo", {"id": "task-1", "body": {"status": "running"}})
    >>> for event in client.watch("agent://demo", after=stored.commit_seq - 1):
    ...     print(event.type, event.id)
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
        http: httpx2.Client | None = None,
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
        self._transport = Transport(settings, Positions() if session else None, http)

    def namespace(self, ns: str) -> Namespace:
        """A view that is bound to a namespace."""
        return Namespace(self._transport, ns)

    def session(self) -> Self:
        """Another client of the same kind, with ``session=True``. It has connections of its own, to be closed, too."""
        client = type(self).__new__(type(self))
        client._http = self._http
        client._transport = Transport(self._transport.settings, Positions(), self._http)
        return client

    def position(self, ns: str) -> int | None:
        """The newest position that this session has seen of a namespace, to be told to another program."""
        return None if self._transport.session is None else self._transport.session.get(ns)

    def saw(self, ns: str, position: int) -> None:
        """From now on this session's reads show at least what is at this position."""
        if self._transport.session is None:
            raise ConfigurationError("this client is no session")
        self._transport.session.saw(ns, position)

    def put(self, ns: str, object: PutObject | Mapping[str, Any], **options: Unpack[WriteOptions]) -> StoredObject:
        """Stores an object; one of the same id is replaced whole. Returns when the write is durable on a quorum."""
        return self._transport.run(_calls.put(ns, object, options))

    def get(self, ns: str, id: str, **options: Unpack[GetOptions]) -> StoredObject:
        """Gives an object, as it is or as it was at a moment; raises ``NotFoundError`` where there is none."""
        return self._transport.run(_calls.get(ns, id, options, self._transport.session))

    def at(self, ns: str, moment: int | datetime | str, id: str, **options: Unpack[ReadOptions]) -> StoredObject:
        """Gives an object as it was: after the write at this position, or at this time."""
        return self._transport.run(_calls.get(ns, id, {**options, **_calls.at(moment)}, self._transport.session))

    def patch(self, ns: str, id: str, patch: Patch, **options: Unpack[WriteOptions]) -> StoredObject:
        """Changes parts of an object: a merge patch, or, as a list, a JSON patch. Raises ``NotFoundError``."""
        return self._transport.run(_calls.patch(ns, id, patch, options))

    def delete(self, ns: str, id: str, **options: Unpack[WriteOptions]) -> Deleted:
        """Deletes an object; raises ``NotFoundError`` where there is none."""
        return self._transport.run(_calls.delete(ns, id, options))

    def batch(self, ns: str, operations: Sequence[Mapping[str, Any]], **options: Unpack[BatchOptions]) -> BatchResult:
        """Carries out all operations at one position, or none of them; at most 128."""
        return self._transport.run(_calls.batch(ns, operations, options))

    def lease_holder(self, ns: str, key: str, **options: Unpack[CallOptions]) -> LeaseRecord:
        """Who holds a lease; raises ``NotFoundError`` when nobody does."""
        return self._transport.run(_calls.lease_holder(ns, key, options))

    def list(self, ns: str, **options: Unpack[ListOptions]) -> Pages[StoredObject]:
        """The objects in the order of their ids."""

        def fetch(limit: int, cursor: str | None) -> Page[StoredObject]:
            return self._transport.run(_calls.list_page(ns, options.get("prefix"), limit, cursor, options, self._transport.session))

        return Pages(fetch, options)

    def query(self, ns: str, query: Query, **options: Unpack[PageOptions]) -> Pages[StoredObject]:
        """The objects that meet all conditions."""

        def fetch(limit: int, cursor: str | None) -> Page[StoredObject]:
            return self._transport.run(_calls.query_page(ns, query, limit, cursor, options, self._transport.session))

        return Pages(fetch, options)

    def history(self, ns: str, id: str, **options: Unpack[PageOptions]) -> Pages[Version]:
        """The versions of an object, newest first."""

        def fetch(limit: int, cursor: str | None) -> Page[Version]:
            return self._transport.run(_calls.history_page(ns, id, limit, cursor, options, self._transport.session))

        return Pages(fetch, options)

    def watch(self, ns: str, **options: Unpack[WatchOptions]) -> Watch:
        """Gives every change once, in order, across any number of connections, until the loop is left."""
        return Watch(self._transport, ns, options)

    def mirror(self, ns: str, prefix: str | None = None) -> Mirror:
        """Keeps a copy of a namespace in memory, and keeps it current."""
        return Mirror(self._transport, ns, prefix)

    def lease(self, ns: str, key: str, **options: Unpack[LeaseOptions]) -> Lease:
        """Acquires a lease and keeps it until it is released: ``with client.lease(…) as lease``."""
        return acquire(self._transport, ns, key, options)

    def request(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Any other request, for instance of ``/admin``, with this client's endpoints, token and errors.

        It is retried as all others are, so it must be one that may arrive twice, or carry an idempotency key.
        """
        return self._transport.send(Request(method, path, dict(headers or {}), content))

    def close(self) -> None:
        """Closes its connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
