"""Everything that this package raises."""

from __future__ import annotations

from typing import Any, Literal


class AgentStateError(Exception):
    """The base of all errors of this package."""


class ApiError(AgentStateError):
    """The server answered with an error."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        """What the server said of it, with what its code promises."""
        self.status: int = problem["status"]
        """The HTTP status."""
        self.code: str = problem.get("code", "")
        """What a program decides by; empty when something else than a node answered."""
        self.request_id: str | None = problem.get("request_id")
        """To tell the operator: it stands in the server's log, too."""
        super().__init__(problem)

    def __str__(self) -> str:
        return _text(self.problem)


class InvalidRequestError(ApiError):
    """400, 405, 415: the request itself is wrong; ``problem["errors"]`` names fields and reasons."""


class AuthenticationError(ApiError):
    """401: there is no token, or it is not good."""


class PermissionDeniedError(ApiError):
    """403: the token does not grant the namespace or the operation."""


class NotFoundError(ApiError):
    """404: there is no such object."""


class ConflictError(ApiError):
    """409: the request contradicts the current state."""


class FenceStaleError(ConflictError):
    """409 ``fence_stale``: another owner has the lease now; stop."""


class LeaseHeldError(ConflictError):
    """409 ``lease_held``: another owner holds the lease."""

    @property
    def owner(self) -> str | None:
        """Who holds it."""
        return self.problem.get("owner")

    @property
    def expires_at(self) -> str | None:
        """Until when, unless it is renewed."""
        return self.problem.get("expires_at")


class LeaseLostError(ConflictError):
    """409 ``lease_lost``: the lease expired or was taken over."""


class CompactedError(ApiError):
    """410: that part of the history is gone."""

    @property
    def first_available(self) -> int | None:
        """Where the history begins now."""
        return self.problem.get("first_available")


class PreconditionFailedError(ApiError):
    """412: ``if_match`` or ``if_none_match`` does not hold. Never retried: somebody else was faster."""

    @property
    def current_commit_seq(self) -> int | None:
        """The version that is there; 0 for none."""
        return self.problem.get("current_commit_seq")


class PayloadTooLargeError(ApiError):
    """413: the request is larger than ``problem["limit_bytes"]``."""


class IdempotencyKeyReusedError(ApiError):
    """422: the idempotency key was used with another payload."""


class RateLimitedError(ApiError):
    """429: more requests or watchers than allowed."""


class RegionNotAllowedError(ApiError):
    """451: not good in that node's region; ``problem["allowed_regions"]`` says where."""


class UnavailableError(ApiError):
    """503: the node cannot serve at the moment; nothing happened."""


class OutcomeUnknownError(ApiError):
    """504, 408: the outcome is unknown; asking again with the same idempotency key tells."""


class StorageFullError(ApiError):
    """507: too little disk space for writes; reads and deletes go on."""


class ServerError(ApiError):
    """500 and everything that is none of the above."""


class ConnectionError(AgentStateError):
    """No answer, and retries did not help. Whether a write happened is unknown."""


class TimeoutError(ConnectionError):
    """No answer in time. Whether a write happened is unknown."""


class ProtocolError(AgentStateError):
    """An answer that no node gives: a redirect, broken JSON, an endless line. Look at what stands in between."""


class ConfigurationError(AgentStateError):
    """The client was configured or called wrongly."""


class ResyncRequired(AgentStateError):
    """A watch could not simply go on.

    After ``overflow`` (this program is too slow) nothing is lost when it watches again ``after`` the position; after
    ``compacted`` the history is gone, and the way on is to watch with ``initial=True``.
    """

    def __init__(
        self,
        reason: Literal["overflow", "compacted"],
        position: int,
        first_available: int | None = None,
    ) -> None:
        self.reason = reason
        """Whether this program is too slow, or the history is gone."""
        self.position = position
        """The last position that was delivered; 0 when there was none."""
        self.first_available = first_available
        """Where the history begins now; only after ``compacted``."""
        super().__init__(reason, position, first_available)

    def __str__(self) -> str:
        if self.reason == "overflow":
            return f"this watcher is too slow; watch again after position {self.position}, nothing is lost"
        return f"the history after position {self.position} is gone; watch again with initial=True"


_BY_CODE: dict[str, type[ApiError]] = {
    "fence_stale": FenceStaleError,
    "lease_held": LeaseHeldError,
    "lease_lost": LeaseLostError,
}
_BY_STATUS: dict[int, type[ApiError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: InvalidRequestError,
    408: OutcomeUnknownError,
    409: ConflictError,
    410: CompactedError,
    412: PreconditionFailedError,
    413: PayloadTooLargeError,
    415: InvalidRequestError,
    422: IdempotencyKeyReusedError,
    429: RateLimitedError,
    451: RegionNotAllowedError,
    503: UnavailableError,
    504: OutcomeUnknownError,
    507: StorageFullError,
}


def api_error(problem: dict[str, Any]) -> ApiError:
    """The class that a program can catch, by the problem's code and status."""
    by_status = _BY_STATUS.get(problem["status"], ServerError)
    return _BY_CODE.get(problem.get("code", ""), by_status)(problem)


def _text(problem: dict[str, Any]) -> str:
    code = problem.get("code")
    what = problem.get("detail", "the answer does not come from an AgentState node")
    request = problem.get("request_id")
    return (
        f"{problem['status']} {f'{code}: ' if code else ''}{what}"
        f"{f' (request {request})' if request else ''}"
    )
