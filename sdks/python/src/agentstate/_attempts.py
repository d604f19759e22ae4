"""What becomes of a request after each attempt: the same for both clients, whatever they wait with."""

from __future__ import annotations

import random
from collections.abc import Collection

from ._endpoint_pool import EndpointPool, PooledEndpoint
from .errors import ApiError, ConnectionError, RegionNotAllowedError, UnavailableError
from .options import Retry

# 408 and 504 leave the outcome open, which an idempotency key makes safe to ask again; 429 and 503 did nothing.
_RETRIED = frozenset({408, 429, 503, 504})


def backoff(retry: int, options: Retry) -> float:
    """Seconds before a retry (1 is the first): doubled each time, half of it chance."""
    full = min(options.base_delay * 2.0 ** min(retry - 1, 30), options.max_delay)
    return full / 2 + random.random() * full / 2


class Attempts:
    """The attempts of one request."""

    def __init__(self, pool: EndpointPool, retry: Retry) -> None:
        self._pool = pool
        self._retry = retry
        self._retries = 0
        self._refused_by: set[PooledEndpoint] = set()
        self._allowed_regions: Collection[str] | None = None

    def endpoint(self) -> PooledEndpoint:
        """Whom to ask next."""
        # When all that are left were excluded, the first choice is asked and its answer stands.
        endpoint = self._pool.pick(self._refused_by, self._allowed_regions) or self._pool.pick()
        assert endpoint is not None, "a client has at least one endpoint"
        return endpoint

    def failed(self, endpoint: PooledEndpoint, error: Exception) -> float:
        """Seconds until the next attempt; raises the error when there is none."""
        if isinstance(error, (ConnectionError, UnavailableError)):
            self._pool.failed(endpoint)
        if isinstance(error, RegionNotAllowedError):
            # Not this node's fault, and no reason to wait: another region may serve it.
            self._refused_by.add(endpoint)
            self._allowed_regions = error.problem.get("allowed_regions")
            if self._pool.pick(self._refused_by, self._allowed_regions) is None:
                raise error
            return 0.0
        retried = isinstance(error, ConnectionError) or (isinstance(error, ApiError) and error.status in _RETRIED)
        if not retried or self._retries >= self._retry.max_retries:
            raise error
        delay = self._delay(error)
        self._retries += 1
        return delay

    def _delay(self, error: Exception) -> float:
        wait = backoff(self._retries + 1, self._retry)
        asked: float | None = error.problem.get("retry_after") if isinstance(error, ApiError) else None
        # Another node need not be waited for, whatever this one says of itself.
        limited = isinstance(error, ApiError) and error.status == 429
        if not limited and self._retries < len(self._pool) - 1:
            return wait / 10
        if asked is None:
            return wait
        if asked > self._retry.max_retry_after:
            raise error
        return max(asked, wait) + random.random() * 0.05
