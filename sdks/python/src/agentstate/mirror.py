"""Copies of a namespace in memory that follow every change."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, ItemsView
from datetime import datetime, timezone
from types import TracebackType

from ._async_transport import AsyncTransport
from ._transport import Transport
from .errors import AgentStateError
from .models import BookmarkEvent, ChangeEvent, DeleteEvent, PutEvent, ResyncEvent, StoredObject, WatchEvent
from .options import WatchOptions
from .watch import AsyncWatch, Watch

MirrorListener = Callable[[ChangeEvent], None]
"""Told of each change after the copy has it."""


class _Copy:
    """The state at ``position``. The changes of a batch come into it one after another."""

    def __init__(self) -> None:
        self._objects: dict[str, StoredObject] = {}
        self._loading: dict[str, StoredObject] | None = {}
        """What a new initial state has brought so far, while the old copy is still shown."""
        self._listeners: list[MirrorListener] = []
        self._position = 0
        self._is_complete = False

    def get(self, id: str) -> StoredObject | None:
        """The object as the copy has it; ``None`` when there is none."""
        return self._objects.get(id)

    def __contains__(self, id: object) -> bool:
        return id in self._objects

    def __len__(self) -> int:
        return len(self._objects)

    def entries(self) -> ItemsView[str, StoredObject]:
        """All objects by their ids, as they are now."""
        return dict(self._objects).items()

    @property
    def position(self) -> int:
        """The copy is the state at this position; 0 before it is complete."""
        return self._position

    def subscribe(self, listener: MirrorListener) -> Callable[[], None]:
        """Calls the listener for each change from now on, where the changes arrive; the result ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _take(self, event: WatchEvent) -> None:
        if isinstance(event, ResyncEvent):
            if event.reason == "compacted":
                self._loading = {}
        elif isinstance(event, BookmarkEvent):
            self._complete(event.commit_seq)
        elif self._loading is not None:
            _apply(self._loading, event)
        else:
            _apply(self._objects, event)
            self._position = event.commit_seq
            self._tell(event)

    def _complete(self, position: int) -> None:
        """A bookmark completes an initial state. What differs from the copy until now is told as changes."""
        self._position = position
        if self._loading is None:
            return
        before, self._objects, self._loading = self._objects, self._loading, None
        self._is_complete = True
        if not self._listeners:
            return
        for found in self._objects.values():
            known = before.get(found.id)
            if known is None or known.commit_seq != found.commit_seq:
                put = PutEvent(
                    type="PUT", ns=found.ns, id=found.id, commit_seq=found.commit_seq, ts=found.ts, object=found
                )
                self._tell(put)
        ts = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
        for lost in before.values():
            if lost.id not in self._objects:
                self._tell(DeleteEvent(type="DELETE", ns=lost.ns, id=lost.id, commit_seq=position, ts=ts))

    def _tell(self, event: ChangeEvent) -> None:
        for listener in list(self._listeners):
            listener(event)


def _apply(objects: dict[str, StoredObject], event: ChangeEvent) -> None:
    if isinstance(event, PutEvent):
        objects[event.id] = event.object
    else:
        objects.pop(event.id, None)


def _options(prefix: str | None) -> WatchOptions:
    """Only by id: other filters would not be told when an object stops to match."""
    options: WatchOptions = {"initial": True, "bookmarks": True, "resync": "continue"}
    if prefix is not None:
        options["prefix"] = prefix
    return options


class Mirror(_Copy):
    """A copy that a thread keeps current. When the connection is away it stays as it is, and catches up afterwards."""

    def __init__(self, transport: Transport, ns: str, prefix: str | None) -> None:
        super().__init__()
        self._watch = Watch(transport, ns, _options(prefix))
        self._ready = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._follow, name=f"agentstate mirror {ns}", daemon=True)
        self._thread.start()

    def wait_ready(self, timeout: float | None = None) -> bool:
        """Waits until the copy is complete; raises what keeps it from that. ``False`` when the time comes first."""
        if not self._ready.wait(timeout):
            return False
        self.raise_if_ended()
        if not self._is_complete:
            raise AgentStateError("the mirror was closed before it was complete")
        return True

    def raise_if_ended(self) -> None:
        """Raises what ended the mirror, for instance a token that is no longer good."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Ends it; the copy can still be read."""
        self._watch.close()
        self._thread.join()

    def __enter__(self) -> Mirror:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _follow(self) -> None:
        try:
            for event in self._watch:
                self._take(event)
                if self._is_complete:
                    self._ready.set()
        except Exception as error:
            self._error = error
        finally:
            self._ready.set()


class AsyncMirror(_Copy):
    """A copy that a task keeps current. When the connection is away it stays as it is, and catches up afterwards."""

    def __init__(self, transport: AsyncTransport, ns: str, prefix: str | None) -> None:
        super().__init__()
        self._watch = AsyncWatch(transport, ns, _options(prefix))
        self._ready = asyncio.Event()
        self._error: Exception | None = None
        self._task = asyncio.create_task(self._follow(), name=f"agentstate mirror {ns}")

    async def wait_ready(self) -> None:
        """Waits until the copy is complete; raises what keeps it from that."""
        await self._ready.wait()
        self.raise_if_ended()
        if not self._is_complete:
            raise AgentStateError("the mirror was closed before it was complete")

    def raise_if_ended(self) -> None:
        """Raises what ended the mirror, for instance a token that is no longer good."""
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        """Ends it; the copy can still be read."""
        self._task.cancel()
        await asyncio.wait({self._task})
        await self._watch.aclose()

    async def __aenter__(self) -> AsyncMirror:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _follow(self) -> None:
        try:
            async for event in self._watch:
                self._take(event)
                if self._is_complete:
                    self._ready.set()
        except Exception as error:
            self._error = error
        finally:
            self._ready.set()
