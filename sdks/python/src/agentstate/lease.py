"""Leases that are held, and renewed until they are released."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from datetime import datetime, timezone
from types import TracebackType

from . import _calls
from ._async_transport import AsyncTransport
from ._transport import Transport
from .errors import AgentStateError, ApiError, ConflictError, LeaseHeldError, LeaseLostError
from .models import LeaseRecord
from .options import LeaseOptions

# Renewed with a third of the time gone: two renewals may fail.
_RENEWALS_PER_TTL = 3
_RETRY_SECONDS = 0.25
# How long a held lease is waited for at most before it is asked for again: its holder may let it go early.
_POLL_SECONDS = 1.0


class _Held:
    """A lease by the local clock, on which it ends no later than on the server."""

    def __init__(self, record: LeaseRecord, ttl_seconds: float, asked: float) -> None:
        self.record = record
        self._ttl = ttl_seconds
        self._ends = asked + ttl_seconds
        self._next = asked + ttl_seconds / _RENEWALS_PER_TTL
        self.lost: AgentStateError | None = None
        self.is_released = False

    def until_next(self) -> float:
        """Seconds until it is to be renewed."""
        return max(0.0, min(self._next, self._ends) - time.monotonic())

    def left(self) -> float:
        """Seconds until it ends unless it is renewed."""
        return self._ends - time.monotonic()

    def renewed(self, record: LeaseRecord, sent: float) -> None:
        """It ends later now, counted from when that was asked for."""
        self.record = record
        self._ends = sent + self._ttl
        self._next = sent + self._ttl / _RENEWALS_PER_TTL

    def trouble(self, error: AgentStateError) -> None:
        """A refusal loses it; anything else is tried again while there is time."""
        if isinstance(error, ApiError) and error.status not in (408, 429) and error.status < 500:
            self.lost = error
        self._next = time.monotonic() + _RETRY_SECONDS

    def expire(self) -> None:
        """It could not be renewed in time."""
        detail = f"the lease {self.record.key} could not be renewed in time"
        self.lost = LeaseLostError({"status": 409, "code": "lease_lost", "detail": detail})


class _LeaseView:
    """What can be seen of a lease."""

    _held: _Held

    @property
    def key(self) -> str:
        """What it is for."""
        return self._held.record.key

    @property
    def owner(self) -> str:
        """Who holds it."""
        return self._held.record.owner

    @property
    def token(self) -> int:
        """The fencing number; it only grows from one holder to the next."""
        return self._held.record.token

    @property
    def expires_at(self) -> str:
        """When the server lets it go unless it is renewed."""
        return self._held.record.expires_at

    @property
    def is_held(self) -> bool:
        """Whether it is neither lost nor released."""
        return self._held.lost is None and not self._held.is_released

    def raise_if_lost(self) -> None:
        """Raises what lost it. Work beside the store asks this before it goes on."""
        if self._held.lost is not None:
            raise self._held.lost


class Lease(_LeaseView):
    """A lease that a thread renews. Give it to writes (``lease=lease``), and they happen only while it is held."""

    def __init__(self, transport: Transport, ns: str, held: _Held, ttl_seconds: float) -> None:
        self._transport = transport
        self._ns = ns
        self._held = held
        self._ttl = ttl_seconds
        self._released = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"agentstate lease {held.record.key}", daemon=True)
        self._thread.start()

    def wait_lost(self, timeout: float | None = None) -> bool:
        """Waits until it is lost; ``False`` when the time comes first."""
        return self._lost.wait(timeout)

    def release(self) -> None:
        """Lets it go, so that others need not wait for its end. Succeeds also when it was lost already."""
        if self._held.is_released:
            return
        self._held.is_released = True
        self._released.set()
        self._thread.join()
        if self._held.lost is None:
            try:
                self._transport.run(_calls.release(self._ns, self._held.record))
            except ConflictError:
                pass  # It was lost already.

    def __enter__(self) -> Lease:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _renew(self) -> None:
        held = self._held
        while not self._released.wait(held.until_next()):
            left = held.left()
            if left <= 0:
                held.expire()
            else:
                try:
                    sent = time.monotonic()
                    call = _calls.renew(self._ns, held.record, self._ttl)
                    # One attempt that may not outlast the lease; the loop is what tries again.
                    held.renewed(call.parse(self._transport.once(call.request, left)), sent)
                except AgentStateError as error:
                    held.trouble(error)
            if held.lost is not None:
                self._lost.set()
                return


class AsyncLease(_LeaseView):
    """A lease that a task renews. Give it to writes (``lease=lease``), and they happen only while it is held."""

    def __init__(self, transport: AsyncTransport, ns: str, held: _Held, ttl_seconds: float) -> None:
        self._transport = transport
        self._ns = ns
        self._held = held
        self._ttl = ttl_seconds
        self._lost = asyncio.Event()
        self._task = asyncio.create_task(self._renew(), name=f"agentstate lease {held.record.key}")

    async def wait_lost(self) -> None:
        """Waits until it is lost."""
        await self._lost.wait()

    async def release(self) -> None:
        """Lets it go, so that others need not wait for its end. Succeeds also when it was lost already."""
        if self._held.is_released:
            return
        self._held.is_released = True
        self._task.cancel()
        await asyncio.wait({self._task})
        if self._held.lost is None:
            try:
                await self._transport.run(_calls.release(self._ns, self._held.record))
            except ConflictError:
                pass  # It was lost already.

    async def __aenter__(self) -> AsyncLease:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()

    async def _renew(self) -> None:
        held = self._held
        while True:
            await asyncio.sleep(held.until_next())
            left = held.left()
            if left <= 0:
                held.expire()
            else:
                try:
                    sent = time.monotonic()
                    call = _calls.renew(self._ns, held.record, self._ttl)
                    held.renewed(call.parse(await self._transport.once(call.request, left)), sent)
                except AgentStateError as error:
                    held.trouble(error)
            if held.lost is not None:
                self._lost.set()
                return


class _Patience:
    """How long a lease that another one holds is waited for."""

    def __init__(self, options: LeaseOptions) -> None:
        self._deadline = time.monotonic() + options.get("wait", 0.0)

    def pause(self, error: LeaseHeldError) -> float:
        """Seconds until it is asked for again; raises the error when there is no time left."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise error
        poll = min(max(_seconds_until(error.expires_at), 0.02), _POLL_SECONDS)
        # Chance keeps those who wait for the same lease apart.
        return min(poll / 2 + random.random() * poll / 2, left)


def _seconds_until(moment: str | None) -> float:
    try:
        then = datetime.fromisoformat((moment or "").replace("Z", "+00:00"))
        return (then - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError):
        return _POLL_SECONDS


def acquire(transport: Transport, ns: str, key: str, options: LeaseOptions) -> Lease:
    """Gets a lease, or raises ``LeaseHeldError`` when there is no time left to wait for it."""
    owner = options.get("owner") or _calls.random_name()
    patience = _Patience(options)
    while True:
        asked = time.monotonic()
        try:
            record = transport.run(_calls.acquire(ns, key, owner, options))
        except LeaseHeldError as error:
            time.sleep(patience.pause(error))
        else:
            ttl = _calls.ttl_of(options)
            return Lease(transport, ns, _Held(record, ttl, asked), ttl)


async def acquire_async(transport: AsyncTransport, ns: str, key: str, options: LeaseOptions) -> AsyncLease:
    """Gets a lease, or raises ``LeaseHeldError`` when there is no time left to wait for it."""
    owner = options.get("owner") or _calls.random_name()
    patience = _Patience(options)
    while True:
        asked = time.monotonic()
        try:
            record = await transport.run(_calls.acquire(ns, key, owner, options))
        except LeaseHeldError as error:
            await asyncio.sleep(patience.pause(error))
        else:
            ttl = _calls.ttl_of(options)
            return AsyncLease(transport, ns, _Held(record, ttl, asked), ttl)
