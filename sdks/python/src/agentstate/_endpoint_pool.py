"""Which of several nodes to ask."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from .options import Endpoint

# How many seconds an endpoint that failed is asked last; doubled with each failure in a row.
_FIRST_REST = 0.5
_LONGEST_REST = 30.0


@dataclass(eq=False)
class PooledEndpoint:
    """What is known of one endpoint."""

    url: str
    region: str | None
    failures: int = 0
    rests_until: float = 0.0


class EndpointPool:
    """Those of the own region come first, those that failed lately last."""

    def __init__(
        self, endpoints: Iterable[Endpoint], region: str | None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._endpoints = [PooledEndpoint(one.url, one.region) for one in endpoints]
        self._region = region
        self._now = now

    def __len__(self) -> int:
        return len(self._endpoints)

    def pick(
        self, excluded: Collection[PooledEndpoint] = (), allowed_regions: Collection[str] | None = None
    ) -> PooledEndpoint | None:
        """The best that is not excluded; of those that all rest, the one that rests least long."""
        now = self._now()

        def rank(endpoint: PooledEndpoint) -> tuple[float, bool]:
            rests = endpoint.rests_until if endpoint.rests_until > now else 0.0
            return rests, self._region is not None and endpoint.region != self._region

        candidates = (
            one
            for one in self._endpoints
            if one not in excluded
            and (allowed_regions is None or one.region is None or one.region in allowed_regions)
        )
        return min(candidates, key=rank, default=None)

    def answered(self, endpoint: PooledEndpoint, region: str | None) -> None:
        """It is well, and says where it stands."""
        endpoint.failures = 0
        endpoint.rests_until = 0.0
        if region is not None:
            endpoint.region = region

    def failed(self, endpoint: PooledEndpoint) -> None:
        """Others are asked first for a while."""
        rest = min(_FIRST_REST * 2.0 ** min(endpoint.failures, 16), _LONGEST_REST)
        endpoint.failures += 1
        endpoint.rests_until = self._now() + rest
