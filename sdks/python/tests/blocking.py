"""The asyncio client in the words of the other one, so that one test holds for both."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from types import TracebackType
from typing import Any, cast

import agentstate

_OWN = (
    agentstate.AsyncClient,
    agentstate.AsyncLease,
    agentstate.AsyncMirror,
    agentstate.AsyncNamespace,
    agentstate.AsyncPages,
    agentstate.AsyncWatch,
)


class _Blocking:
    """Calls what it stands for in a loop, and waits for the results."""

    def __init__(self, loop: asyncio.AbstractEventLoop, target: Any) -> None:
        self._loop = loop
        self._target = target

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._target, name)
        return self._calling(member) if callable(member) else member

    def __iter__(self) -> Iterator[Any]:
        events = self._target.__aiter__()
        while True:
            try:
                yield self._calling(events.__anext__)()
            except StopAsyncIteration:
                return

    def __len__(self) -> int:
        return len(self._target)

    def __enter__(self) -> _Blocking:
        self._calling(self._target.__aenter__)()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._calling(self._target.__aexit__)(kind, error, trace)

    def _calling(self, function: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            async def in_loop() -> Any:
                # Some make tasks of their own when they are called, which only works within a loop.
                result = function(*map(_behind, args), **{name: _behind(value) for name, value in options.items()})
                return await result if inspect.isawaitable(result) else result

            result = self._loop.run_until_complete(in_loop())
            return _Blocking(self._loop, result) if isinstance(result, _OWN) else result

        return call


def _behind(value: Any) -> Any:
    return value._target if isinstance(value, _Blocking) else value


def blocking(loop: asyncio.AbstractEventLoop, client: agentstate.AsyncClient) -> agentstate.Client:
    """Looks like the client for programs without an event loop."""
    return cast(agentstate.Client, _Blocking(loop, client))
