"""Listings that fetch their pages as they are wanted."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Generic, TypeVar

from ._calls import Page
from .options import PageOptions

Item = TypeVar("Item")
_DEFAULT_PAGE_SIZE = 100


class _Turning(Generic[Item]):
    """Where the next page begins, and how much of it is wanted."""

    def __init__(self, options: PageOptions) -> None:
        self._left = options.get("limit", sys.maxsize)
        self._page_size = options.get("page_size", _DEFAULT_PAGE_SIZE)
        self.cursor = options.get("cursor")
        self.is_over = self._left <= 0

    @property
    def limit(self) -> int:
        return min(self._left, self._page_size)

    def turned(self, page: Page[Item]) -> None:
        self._left -= len(page.items)
        self.cursor = page.next_cursor
        self.is_over = page.next_cursor is None or self._left <= 0


class Pages(Generic[Item]):
    """Each page is read at a moment of its own: what is written meanwhile may or may not be seen."""

    def __init__(self, fetch: Callable[[int, str | None], Page[Item]], options: PageOptions) -> None:
        self._fetch = fetch
        self._options = options

    def __iter__(self) -> Iterator[Item]:
        for page in self.pages():
            yield from page.items

    def pages(self) -> Iterator[Page[Item]]:
        """The same, page by page."""
        turning = _Turning[Item](self._options)
        while not turning.is_over:
            page = self._fetch(turning.limit, turning.cursor)
            turning.turned(page)
            yield page

    def all(self) -> list[Item]:
        """Everything at once, in memory."""
        return list(self)

    def first(self) -> Item | None:
        """The first item; ``None`` when there is none."""
        return next(iter(self._fetch(1, self._options.get("cursor")).items), None)


class AsyncPages(Generic[Item]):
    """Each page is read at a moment of its own: what is written meanwhile may or may not be seen."""

    def __init__(self, fetch: Callable[[int, str | None], Awaitable[Page[Item]]], options: PageOptions) -> None:
        self._fetch = fetch
        self._options = options

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for page in self.pages():
            for item in page.items:
                yield item

    async def pages(self) -> AsyncIterator[Page[Item]]:
        """The same, page by page."""
        turning = _Turning[Item](self._options)
        while not turning.is_over:
            page = await self._fetch(turning.limit, turning.cursor)
            turning.turned(page)
            yield page

    async def all(self) -> list[Item]:
        """Everything at once, in memory."""
        return [item async for item in self]

    async def first(self) -> Item | None:
        """The first item; ``None`` when there is none."""
        return next(iter((await self._fetch(1, self._options.get("cursor"))).items), None)
