"""Sends requests to whichever node answers, again where that is safe: the one for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import httpx2

from ._answers import MAX_PROBLEM_BYTES, Answer, Request, late, redirect_error, refusal, too_large, unanswered
from ._attempts import Attempts
from ._calls import Call, Positions
from ._endpoint_pool import EndpointPool, PooledEndpoint
from ._http import new_async_client
from .errors import AgentStateError, ConnectionError, ProtocolError
from .options import Retry, Settings

Result = TypeVar("Result")


class AsyncOpenStream:
    """A stream that stands."""

    def __init__(self, response: httpx2.Response, endpoint: PooledEndpoint, pool: EndpointPool) -> None:
        self._response = response
        self._endpoint = endpoint
        self._pool = pool
        self.content_type: str = response.headers.get("content-type", "")

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they come; raises ``ConnectionError`` when they end, in whatever way."""
        try:
            async for chunk in self._response.aiter_bytes():
                yield chunk
        except httpx2.TimeoutException:
            raise ConnectionError("the watch was silent for too long") from None
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            raise ConnectionError("the connection of the watch broke") from error
        raise ConnectionError("the watch ended")

    def avoid_node(self) -> None:
        """Another node is asked before this one."""
        self._pool.failed(self._endpoint)

    async def close(self) -> None:
        """Gives the connection back."""
        await self._response.aclose()


class AsyncTransport:
    """One for all views of a client. It belongs to one event loop."""

    def __init__(self, settings: Settings, session: Positions | None, http: httpx2.AsyncClient | None) -> None:
        self.settings = settings
        self.session = session
        self._pool = EndpointPool(settings.endpoints, settings.region)
        self._owned = http is None
        self._http = http or new_async_client()

    async def close(self) -> None:
        """Closes the connections, unless they were brought from outside."""
        if self._owned:
            await self._http.aclose()

    async def run(self, call: Call[Result]) -> Result:
        """Sends a call, and gives what its answer means."""
        answer = await self.send(call.request)
        if self.session is not None:
            self.session.saw(call.ns, answer.position)
        return call.parse(answer)

    async def send(self, request: Request) -> Answer:
        """Sends a request until it is answered, or there is no point in sending it again."""
        attempts = Attempts(self._pool, self.settings.retry)
        timeout = self.settings.timeout
        while True:
            endpoint = attempts.endpoint()
            try:
                return await asyncio.wait_for(self._once(endpoint, request), timeout)
            except asyncio.TimeoutError:
                delay = attempts.failed(endpoint, late(endpoint.url, timeout))
            except AgentStateError as error:
                delay = attempts.failed(endpoint, error)
            await asyncio.sleep(delay)

    async def once(self, request: Request, timeout: float) -> Answer:
        """Sends a request to one node, and waits for the answer no longer than so many seconds."""
        attempts = Attempts(self._pool, Retry(max_retries=0))
        endpoint = attempts.endpoint()
        seconds = min(timeout, self.settings.timeout)
        try:
            return await asyncio.wait_for(self._once(endpoint, request), seconds)
        except asyncio.TimeoutError:
            attempts.failed(endpoint, late(endpoint.url, seconds))
            raise
        except AgentStateError as error:
            attempts.failed(endpoint, error)
            raise

    async def open(self, request: Request, silence: float) -> AsyncOpenStream:
        """Opens a stream; reading it, and opening it again, is its holder's."""
        attempts = Attempts(self._pool, self.settings.retry)
        while True:
            endpoint = attempts.endpoint()
            try:
                response = await self._start(endpoint, request, silence)
                return AsyncOpenStream(response, endpoint, self._pool)
            except AgentStateError as error:
                delay = attempts.failed(endpoint, error)
            await asyncio.sleep(delay)

    async def _once(self, endpoint: PooledEndpoint, request: Request) -> Answer:
        response = await self._start(endpoint, request, self.settings.timeout)
        try:
            content = await self._content(endpoint, response, self.settings.max_response_bytes)
        finally:
            await response.aclose()
        return Answer(response.status_code, response.headers, content)

    async def _start(self, endpoint: PooledEndpoint, request: Request, read_timeout: float) -> httpx2.Response:
        timeout = httpx2.Timeout(self.settings.timeout, read=read_timeout)
        headers = dict(request.headers)
        token = self.settings.token()
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        try:
            built = self._http.build_request(
                request.method, endpoint.url + request.path, headers=headers, content=request.content, timeout=timeout
            )
            response = await self._http.send(built, stream=True, follow_redirects=False, auth=None)
        except httpx2.TimeoutException:
            raise late(endpoint.url, read_timeout) from None
        except httpx2.HTTPError as error:
            raise unanswered(endpoint.url, error) from error
        if 200 <= response.status_code < 300:
            self._pool.answered(endpoint, response.headers.get("x-agentstate-region"))
            return response
        try:
            if 300 <= response.status_code < 400:
                raise redirect_error(endpoint.url, response.headers)
            try:
                content = await self._content(endpoint, response, MAX_PROBLEM_BYTES)
            except ProtocolError:
                content = b""
            raise refusal(response.status_code, response.headers, content)
        finally:
            await response.aclose()

    async def _content(self, endpoint: PooledEndpoint, response: httpx2.Response, limit: int) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                chunks.append(chunk)
        except httpx2.TimeoutException:
            raise late(endpoint.url, self.settings.timeout) from None
        except httpx2.HTTPError as error:
            raise unanswered(endpoint.url, error) from error
        return b"".join(chunks)
