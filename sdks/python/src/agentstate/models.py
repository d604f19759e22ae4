"""What goes in and comes out. Names are those of the wire; times are RFC 3339 texts."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, Union

from pydantic import BaseModel, ConfigDict, TypeAdapter
from typing_extensions import TypedDict

Model = TypeVar("Model")


class Answered(BaseModel):
    """Something a server said. Members that this version does not know are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")


class StoredObject(Answered):
    """One version of an object, as the server stores it."""

    id: str
    """Unique within its namespace."""
    ns: str
    """Its namespace."""
    type: str = "object"
    """What kind of object it is."""
    body: Any = None
    """Any JSON value."""
    tags: dict[str, str] = {}
    """What it can be found by."""
    ttl_seconds: int | None = None
    """Seconds; ``None`` for an object that stays."""
    expires_at: str | None = None
    """RFC 3339; ``None`` for an object that stays."""
    parents: list[str] = []
    """The digests of the versions that it comes from."""
    commit: str = ""
    """A digest of the content and the parents."""
    commit_seq: int
    """The version: strictly increasing within a namespace, never used twice."""
    created_seq: int = 0
    """The version in which the object came to be."""
    ts: str = ""
    """When the version was committed."""

    def body_as(self, model: builtins.type[Model]) -> Model:
        """The body as a pydantic model, or any type that pydantic can check."""
        return TypeAdapter(model).validate_python(self.body)


class DeletedVersion(Answered):
    """A deletion in an object's history."""

    deleted: Literal[True]
    """Tells it apart from a stored version."""
    id: str
    """The object that is gone."""
    commit_seq: int
    """The position of the deletion."""
    ts: str = ""
    """When it was committed, RFC 3339."""
    reason: str | None = None
    """``delete`` or ``expired``."""


Version = Union[DeletedVersion, StoredObject]
"""One step of an object's history: a stored version, or its deletion."""


class Deleted(Answered):
    """A deletion that was carried out."""

    commit_seq: int
    """The position of the deletion."""


class BatchResult(Answered):
    """What became of a batch: all of it happened, at one position."""

    commit_seq: int
    """The position at which all of it happened."""
    results: list[Any]
    """In the order of the operations."""


class LeaseRecord(Answered):
    """A lease as the server describes it."""

    key: str
    """What it is for."""
    owner: str
    """Who holds it."""
    token: int
    """The fencing number; it only grows from one holder to the next."""
    expires_at: str
    """When it ends unless it is renewed, RFC 3339."""


class PutEvent(Answered):
    """An object was stored."""

    type: Literal["PUT"]
    """Tells the kinds of events apart."""
    ns: str
    """The namespace that is watched."""
    id: str
    """The object that was stored."""
    commit_seq: int
    """The version that was stored."""
    ts: str
    """When it was committed, RFC 3339."""
    object: StoredObject
    """The object as it is since then."""

    @property
    def body(self) -> Any:
        """The body of the object."""
        return self.object.body


class DeleteEvent(Answered):
    """An object is gone: it was deleted, or it has expired."""

    type: Literal["DELETE"]
    """Tells the kinds of events apart."""
    ns: str
    """The namespace that is watched."""
    id: str
    """The object that is gone."""
    commit_seq: int
    """The position of the deletion."""
    ts: str
    """When it was committed, RFC 3339."""
    reason: str = "delete"
    """``delete``, or ``expired`` when its time was over."""

    @property
    def body(self) -> None:
        """Nothing: it lets ``event.body`` be read before the type is known."""
        return None


class BookmarkEvent(Answered):
    """Everything that matches up to here has been delivered. Given only to who asks for ``bookmarks``."""

    type: Literal["BOOKMARK"]
    """Tells the kinds of events apart."""
    ns: str
    """The namespace that is watched."""
    commit_seq: int
    """How far the stream has come."""

    @property
    def id(self) -> None:
        """Nothing: a bookmark is about no object."""
        return None

    @property
    def body(self) -> None:
        """Nothing: a bookmark is about no object."""
        return None


class ResyncEvent(Answered):
    """The stream could not simply go on. Given only to who asks for ``resync="continue"``.

    After ``overflow`` it goes on from ``position``, and nothing is lost. After ``compacted`` the history in between is
    gone, and what follows is the current state as ``PUT`` events, then what happens next.
    """

    type: Literal["RESYNC"] = "RESYNC"
    """Tells the kinds of events apart."""
    ns: str
    """The namespace that is watched."""
    reason: Literal["overflow", "compacted"]
    """Whether this program is too slow, or the history is gone."""
    position: int
    """The last position that was delivered; 0 when there was none."""
    first_available: int | None = None
    """Where the history begins now; only after ``compacted``."""

    @property
    def id(self) -> None:
        """Nothing: it is about no object."""
        return None

    @property
    def body(self) -> None:
        """Nothing: it is about no object."""
        return None


ChangeEvent = Union[PutEvent, DeleteEvent]
"""A change of the namespace."""
WatchEvent = Union[PutEvent, DeleteEvent, BookmarkEvent, ResyncEvent]
"""All that a watch may give."""


class PutObject(TypedDict, total=False):
    """What is stored: it replaces the object of that id whole. Without an id the server makes one."""

    id: str
    """1 to 512 bytes of UTF-8."""
    type: str
    """Default ``object``."""
    body: Any
    """Any JSON value; default ``None``."""
    tags: Mapping[str, str]
    """At most 64; default none."""
    ttl_seconds: int
    """Seconds until it expires; without them it stays."""
    parents: Sequence[str]
    """The digests (``commit``) of the versions that it comes from."""


class Query(TypedDict, total=False):
    """What a query asks for; all given conditions must hold."""

    tags: Mapping[str, str]
    """Tags that an object must have, with these values."""
    type: str
    """The type that an object must have."""
    prefix: str
    """Beginning of the ids."""
    where: Mapping[str, Any]
    """From a JSONPath such as ``$.status`` to a value, or to an operator with one: ``{"gt": 1}``."""
    fields: Sequence[str]
    """Top-level keys of ``body`` to keep."""
    order: Literal["id", "commit_seq", "-commit_seq"]
    """Default ``id``."""


Patch = Union[Mapping[str, Any], Sequence[Mapping[str, Any]]]
"""A merge patch (RFC 7396) as a mapping, or a JSON patch (RFC 6902) as a list of steps."""
