"""Sends requests to whichever node answers, again where that is safe."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import TypeVar

import httpx2

from ._answers import MAX_PROBLEM_BYTES, Answer, Request, late, redirect_error, refusal, too_large, unanswered
from ._attempts import Attempts
from ._calls import Call, Positions
from ._endpoint_pool import EndpointPool, PooledEndpoint
from ._http import new_client
from .errors import AgentStateError, ConnectionError, ProtocolError
from .options import Retry, Settings

Result = TypeVar("Result")


class OpenStream:
    """A stream that stands."""

    def __init__(self, response: httpx2.Response, endpoint: PooledEndpoint, pool: EndpointPool) -> None:
        self._response = response
        self._endpoint = endpoint
        self._pool = pool
        self.content_type: str = response.headers.get("content-type", "")

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they come; raises ``ConnectionError`` when they end, in whatever way."""
        try:
            yield from self._response.iter_bytes()
        except httpx2.TimeoutException:
            raise ConnectionError("the watch was silent for too long") from None
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            raise ConnectionError("the connection of the watch broke") from error
        raise ConnectionError("the watch ended")

    def interrupt(self) -> None:
        """Wakes whoever reads, from another thread."""
        network = self._response.extensions.get("network_stream")
        raw = network.get_extra_info("socket") if network is not None else None
        if raw is not None:
            try:
                raw.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # It is gone already.

    def avoid_node(self) -> None:
        """Another node is asked before this one."""
        self._pool.failed(self._endpoint)

    def close(self) -> None:
        """Gives the connection back."""
        self._response.close()


class Transport:
    """One for all views of a client. It may be used from several threads."""

    def __init__(self, settings: Settings, session: Positions | None, http: httpx2.Client | None) -> None:
        self.settings = settings
        self.session = session
        self._pool = EndpointPool(settings.endpoints, settings.region)
        self._owned = http is None
        self._http = http or new_client()

    def close(self) -> None:
        """Closes the connections, unless they were brought from outside."""
        if self._owned:
            self._http.close()

    def run(self, call: Call[Result]) -> Result:
        """Sends a call, and gives what its answer means."""
        answer = self.send(call.request)
        if self.session is not None:
            self.session.saw(call.ns, answer.position)
        return call.parse(answer)

    def send(self, request: Request) -> Answer:
        """Sends a request until it is answered, or there is no point in sending it again."""
        attempts = Attempts(self._pool, self.settings.retry)
        while True:
            endpoint = attempts.endpoint()
            try:
                return self._once(endpoint, request, self.settings.timeout)
            except AgentStateError as error:
                delay = attempts.failed(endpoint, error)
            time.sleep(delay)

    def once(self, request: Request, timeout: float) -> Answer:
        """Sends a request to one node, and waits for the answer no longer than so many seconds."""
        attempts = Attempts(self._pool, Retry(max_retries=0))
        endpoint = attempts.endpoint()
        try:
            return self._once(endpoint, request, min(timeout, self.settings.timeout))
        except AgentStateError as error:
            attempts.failed(endpoint, error)
            raise

    def open(self, request: Request, silence: float) -> OpenStream:
        """Opens a stream; reading it, and opening it again, is its holder's."""
        attempts = Attempts(self._pool, self.settings.retry)
        while True:
            endpoint = attempts.endpoint()
            try:
                response = self._start(endpoint, request, silence)
                return OpenStream(response, endpoint, self._pool)
            except AgentStateError as error:
                delay = attempts.failed(endpoint, error)
            time.sleep(delay)

    def _once(self, endpoint: PooledEndpoint, request: Request, timeout: float) -> Answer:
        deadline = time.monotonic() + timeout
        response = self._start(endpoint, request, timeout)
        try:
            content = self._content(endpoint, response, self.settings.max_response_bytes, deadline)
        finally:
            response.close()
        return Answer(response.status_code, response.headers, content)

    def _start(self, endpoint: PooledEndpoint, request: Request, read_timeout: float) -> httpx2.Response:
        timeout = httpx2.Timeout(self.settings.timeout, read=read_timeout)
        headers = dict(request.headers)
        token = self.settings.token()
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        try:
            built = self._http.build_request(
                request.method, endpoint.url + request.path, headers=headers, content=request.content, timeout=timeout
            )
            response = self._http.send(built, stream=True, follow_redirects=False, auth=None)
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
            deadline = time.monotonic() + self.settings.timeout
            try:
                content = self._content(endpoint, response, MAX_PROBLEM_BYTES, deadline)
            except ProtocolError:
                content = b""
            raise refusal(response.status_code, response.headers, content)
        finally:
            response.close()

    def _content(self, endpoint: PooledEndpoint, response: httpx2.Response, limit: int, deadline: float) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > limit:
                    raise too_large(limit)
                if time.monotonic() > deadline:
                    raise late(endpoint.url, self.settings.timeout)
                chunks.append(chunk)
        except httpx2.TimeoutException:
            raise late(endpoint.url, self.settings.timeout) from None
        except httpx2.HTTPError as error:
            raise unanswered(endpoint.url, error) from error
        return b"".join(chunks)
