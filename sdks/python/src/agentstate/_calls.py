"""Every request of the API, as values: what both clients send, and what they make of the answers."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote, urlencode

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json

from ._answers import Answer, Request
from .errors import ConfigurationError, ProtocolError
from .models import (
    BatchResult,
    Deleted,
    LeaseRecord,
    Patch,
    PutObject,
    Query,
    StoredObject,
    Version,
)
from .options import BatchOptions, CallOptions, GetOptions, LeaseOptions, ReadOptions, WriteOptions

Result = TypeVar("Result")
Item = TypeVar("Item")

_OBJECTS: TypeAdapter[list[StoredObject]] = TypeAdapter(list[StoredObject])
_VERSIONS: TypeAdapter[list[Version]] = TypeAdapter(list[Version])
DEFAULT_TTL_SECONDS = 30.0


@dataclass(frozen=True)
class Page(Generic[Item]):
    """One page, and where the next one begins; ``None`` on the last page."""

    items: list[Item]
    """In the order of the listing."""
    next_cursor: str | None
    """``None`` on the last page."""


@dataclass(frozen=True)
class Call(Generic[Result]):
    """A request, and what its answer means."""

    ns: str
    request: Request
    parse: Callable[[Answer], Result]


class Positions:
    """What a session has seen, by namespace: it reads its own writes, and never an older state than before."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}

    def get(self, ns: str) -> int | None:
        """The newest position that was seen."""
        return self._positions.get(ns)

    def saw(self, ns: str, position: int | None) -> None:
        """Positions only grow."""
        if position is not None and position > self._positions.get(ns, 0):
            self._positions[ns] = position


def put(ns: str, object: PutObject | Mapping[str, Any], options: WriteOptions) -> Call[StoredObject]:
    """Without an id the server makes one, and the idempotency key keeps a retry from making another."""
    content = {name: value for name, value in object.items() if name != "id"}
    id_ = object.get("id")
    method, path = ("POST", "/objects") if id_ is None else ("PUT", _object_path(str(id_)))
    return _write(ns, method, path, content, options, _model(StoredObject))


def get(ns: str, id: str, options: GetOptions, session: Positions | None) -> Call[StoredObject]:
    """An object, as it is or as it was."""
    search: dict[str, str] = {}
    if "at_seq" in options:
        search["at_seq"] = str(options["at_seq"])
    if "at" in options:
        search["at"] = _moment(options["at"])
    return _read(ns, "GET", _object_path(id), search, options, session, _model(StoredObject))


def at(moment: int | datetime | str) -> GetOptions:
    """A position or a time, as the options of a get."""
    return {"at_seq": moment} if isinstance(moment, int) else {"at": moment}


def patch(ns: str, id: str, patch: Patch, options: WriteOptions) -> Call[StoredObject]:
    """A mapping is a merge patch, a list is a JSON patch."""
    kind = "merge-patch" if isinstance(patch, (Mapping, BaseModel)) else "json-patch"
    content_type = f"application/{kind}+json"
    return _write(ns, "PATCH", _object_path(id), patch, options, _model(StoredObject), content_type)


def delete(ns: str, id: str, options: WriteOptions) -> Call[Deleted]:
    """A deletion answers with its position."""
    request = Request("DELETE", _ns_path(ns) + _object_path(id), _write_headers(options))
    return Call(ns, request, lambda answer: Deleted(commit_seq=answer.position or 0))


def batch(ns: str, operations: Sequence[Mapping[str, Any]], options: BatchOptions) -> Call[BatchResult]:
    """All operations at one position, or none of them."""
    return _write(ns, "POST", "/batch", {"ops": operations}, cast(WriteOptions, options), _model(BatchResult))


def list_page(
    ns: str, prefix: str | None, limit: int, cursor: str | None, options: ReadOptions, session: Positions | None
) -> Call[Page[StoredObject]]:
    """A page of the objects in the order of their ids."""
    search = {"prefix": prefix} if prefix is not None else {}
    return _read(ns, "GET", "/objects", _paged(search, limit, cursor), options, session, _page(_OBJECTS))


def history_page(
    ns: str, id: str, limit: int, cursor: str | None, options: ReadOptions, session: Positions | None
) -> Call[Page[Version]]:
    """A page of an object's versions, newest first."""
    path = f"{_object_path(id)}/history"
    return _read(ns, "GET", path, _paged({}, limit, cursor), options, session, _page(_VERSIONS))


def query_page(
    ns: str, query: Query, limit: int, cursor: str | None, options: ReadOptions, session: Positions | None
) -> Call[Page[StoredObject]]:
    """A page of the objects that meet all conditions."""
    content = {**query, "limit": limit, **({} if cursor is None else {"cursor": cursor})}
    return _read(ns, "POST", "/query", {}, options, session, _page(_OBJECTS), content)


def acquire(ns: str, key: str, owner: str, options: LeaseOptions) -> Call[LeaseRecord]:
    """Asks for a lease."""
    content = {"key": key, "owner": owner, "ttl": ttl_of(options)}
    return _write(ns, "POST", "/lease/acquire", content, _as_write(options), _model(LeaseRecord))


def renew(ns: str, record: LeaseRecord, ttl_seconds: float) -> Call[LeaseRecord]:
    """Keeps a lease."""
    content = {"key": record.key, "owner": record.owner, "token": record.token, "ttl": _number(ttl_seconds)}
    return _write(ns, "POST", "/lease/renew", content, {}, _model(LeaseRecord))


def release(ns: str, record: LeaseRecord) -> Call[None]:
    """Lets a lease go."""
    content = {"key": record.key, "owner": record.owner, "token": record.token}
    return _write(ns, "POST", "/lease/release", content, {}, lambda answer: None)


def lease_holder(ns: str, key: str, options: CallOptions) -> Call[LeaseRecord]:
    """Who holds a lease."""
    path = f"{_ns_path(ns)}/lease/{quote(key, safe='')}"
    return Call(ns, Request("GET", path, _call_headers(options)), _model(LeaseRecord))


def ttl_of(options: LeaseOptions) -> float:
    """Seconds, as a whole number where they are one."""
    return _number(options.get("ttl_seconds", DEFAULT_TTL_SECONDS))


def random_name() -> str:
    """122 bits of chance."""
    return uuid.uuid4().hex


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _as_write(options: CallOptions) -> WriteOptions:
    return {"request_id": options["request_id"]} if "request_id" in options else {}


def _write(
    ns: str,
    method: str,
    path: str,
    content: Any,
    options: WriteOptions,
    parse: Callable[[Answer], Result],
    content_type: str = "application/json",
) -> Call[Result]:
    headers = {**_write_headers(options), "content-type": content_type}
    return Call(ns, Request(method, _ns_path(ns) + path, headers, to_json(content)), parse)


def _read(
    ns: str,
    method: str,
    path: str,
    search: Mapping[str, str],
    options: ReadOptions,
    session: Positions | None,
    parse: Callable[[Answer], Result],
    content: Any = None,
) -> Call[Result]:
    query = urlencode({**search, **_consistency(ns, options, session)}, quote_via=quote)
    headers = _call_headers(options)
    if content is not None:
        headers["content-type"] = "application/json"
    whole = f"{_ns_path(ns)}{path}{'?' if query else ''}{query}"
    return Call(ns, Request(method, whole, headers, None if content is None else to_json(content)), parse)


def _consistency(ns: str, options: ReadOptions, session: Positions | None) -> dict[str, str]:
    seen = None if session is None else session.get(ns)
    min_seq = options.get("min_seq")
    kind = options.get("consistency") or ("linearizable" if seen is None and min_seq is None else "stale")
    if kind == "linearizable":
        return {}
    least = max(min_seq or 0, seen or 0)
    return {"consistency": "stale", **({"min_seq": str(least)} if least > 0 else {})}


def _ns_path(ns: str) -> str:
    return f"/v1/{quote(ns, safe='')}"


def _object_path(id: str) -> str:
    """``.`` and ``..`` would be taken for steps of the path, also when they are encoded."""
    if id in ("", ".", ".."):
        raise ConfigurationError(f"{id!r} cannot stand in the path of a request")
    return f"/objects/{quote(id, safe='')}"


def _paged(search: Mapping[str, str], limit: int, cursor: str | None) -> dict[str, str]:
    return {**search, "limit": str(limit), **({} if cursor is None else {"cursor": cursor})}


def _call_headers(options: CallOptions) -> dict[str, str]:
    return {"x-request-id": options["request_id"]} if "request_id" in options else {}


def _write_headers(options: WriteOptions) -> dict[str, str]:
    headers = _call_headers(options)
    headers["idempotency-key"] = options.get("idempotency_key") or random_name()
    if "if_match" in options:
        headers["if-match"] = f'"{options["if_match"]}"'
    if "if_none_match" in options:
        headers["if-none-match"] = options["if_none_match"]
    if "lease" in options:
        lease = options["lease"]
        # A lease that is known to be lost is not even asked about.
        check = getattr(lease, "raise_if_lost", None)
        if check is not None:
            check()
        headers["if-resource"] = lease.key
        headers["if-fence"] = str(lease.token)
    return headers


def _moment(moment: datetime | str) -> str:
    if isinstance(moment, str):
        return moment
    if moment.tzinfo is None:
        raise ConfigurationError("a time needs its zone: datetime.now(timezone.utc), for instance")
    return moment.isoformat()


def _model(model: type[Any]) -> Callable[[Answer], Any]:
    def parse(answer: Answer) -> Any:
        try:
            return model.model_validate_json(answer.content)
        except ValidationError as error:
            raise ProtocolError(f"the answer is not what a node would send ({_first(error)})") from None

    return parse


def _page(items: TypeAdapter[list[Item]]) -> Callable[[Answer], Page[Item]]:
    def parse(answer: Answer) -> Page[Item]:
        try:
            found = items.validate_json(answer.content)
        except ValidationError as error:
            raise ProtocolError(f"the answer is not what a node would send ({_first(error)})") from None
        return Page(found, answer.headers.get("x-next-cursor"))

    return parse


def _first(error: ValidationError) -> str:
    """What is wrong, without the contents."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}".lstrip(": ")


