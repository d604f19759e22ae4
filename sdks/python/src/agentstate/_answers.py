"""What comes over the wire, made into values or errors."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from .errors import AgentStateError, ConnectionError, ProtocolError, TimeoutError, api_error

# Problems are small; something that answers an error with more is not a node.
MAX_PROBLEM_BYTES = 1024 * 1024


class Request(NamedTuple):
    """A request before it is known which node gets it."""

    method: str
    path: str
    """From ``/v1`` on, encoded, with its query."""
    headers: dict[str, str]
    content: bytes | None = None


class Answer(NamedTuple):
    """An answer whose status is 2xx."""

    status: int
    """The HTTP status."""
    headers: Mapping[str, str]
    """Their names are in lower case."""
    content: bytes
    """The body as it came."""

    @property
    def position(self) -> int | None:
        """Where the history of the namespace stands."""
        text = self.headers.get("x-commit-seq", "")
        return int(text) if text.isdecimal() else None


def redirect_error(endpoint: str, headers: Mapping[str, str]) -> ProtocolError:
    """Redirects are not followed: a node never sends one, and the token must not go where an answer says."""
    target = urlsplit(urljoin(endpoint, headers.get("location", "")))
    return ProtocolError(
        f"{endpoint} redirects to {target.scheme}://{target.hostname}, which is not followed; "
        "give the address of a node as the endpoint"
    )


def refusal(status: int, headers: Mapping[str, str], content: bytes) -> AgentStateError:
    """The typed error of an answer that is none of 2xx. What the headers say counts, whatever the body is."""
    problem = _problem_of(content)
    problem["status"] = status
    if "x-request-id" in headers:
        problem["request_id"] = headers["x-request-id"]
    retry_after = _retry_after(headers.get("retry-after"))
    if retry_after is not None:
        problem["retry_after"] = retry_after
    return api_error(problem)


def _problem_of(content: bytes) -> dict[str, Any]:
    try:
        problem = json.loads(content)
    except ValueError:
        return {}
    return problem if isinstance(problem, dict) and isinstance(problem.get("code"), str) else {}


def _retry_after(header: str | None) -> float | None:
    """Seconds (RFC 9110, section 10.2.3: a number, or a date)."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def late(endpoint: str, seconds: float) -> TimeoutError:
    """No answer in time."""
    return TimeoutError(f"no answer from {endpoint} within {seconds:g} s")


def unanswered(endpoint: str, error: Exception) -> ConnectionError:
    """No answer at all."""
    return ConnectionError(f"no answer from {endpoint} ({str(error) or type(error).__name__})")


def too_large(max_bytes: int) -> ProtocolError:
    """Whoever answers more is no node."""
    return ProtocolError(f"the answer is larger than {max_bytes} bytes")
