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
    ns: str
    type: str = "object"
    body: Any = None
    tags: dict[str, str] = {}
    ttl_seconds: int | None = None
    """Seconds; ``None`` for an object that stays."""
    expires_at: str | None = None
    parents: list[str] = []
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
    id: str
    commit_seq: int
    ts: str = ""
    reason: str | None = None


Version = Union[DeletedVersion, StoredObject]
"""One step of an object's history: a stored version, or its deletion."""


class Deleted(Answered):
    """A deletion that was carried out."""

    commit_seq: int


class BatchResult(Answered):
    """What became of a batch: all of it happened, at one position."""

    commit_seq: int
    results: list[Any]
    """In the order of the operations."""


class LeaseRecord(Answered):
    """A lease as the server describes it."""

    key: str
    owner: str
    token: int
    """The fencing number; it only grows from one holder to the next."""
    expires_at: str


class PutEvent(Answered):
    """An object was stored."""

    type: Literal["PUT"]
    ns: str
    id: str
    commit_seq: int
    ts: str
    object: StoredObject

    @property
    def body(self) -> Any:
        """The body of the object."""
        return self.object.body


class DeleteEvent(Answered):
    """An object is gone: it was deleted, or it has expired."""

    type: Literal["DELETE"]
    ns: str
    id: str
    commit_seq: int
    ts: str
    reason: str = "delete"

    @property
    def body(self) -> None:
        """Nothing: it lets ``event.body`` be read before the type is known."""
        return None


class BookmarkEvent(Answered):
    """Everything that matches up to here has been delivered. Given only to who asks for ``bookmarks``."""

    type: Literal["BOOKMARK"]
    ns: str
    commit_seq: int

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
    ns: str
    reason: Literal["overflow", "compacted"]
    position: int
    """The last position that was delivered; 0 when there was none."""
    first_available: int | None = None

    @property
    def id(self) -> None:
        """Nothing: it is about no object."""
        return None

    @property
    def body(self) -> None:
        """Nothing: it is about no object."""
        return None


ChangeEvent = Union[PutEvent, DeleteEvent]
WatchEvent = Union[PutEvent, DeleteEvent, BookmarkEvent, ResyncEvent]


class PutObject(TypedDict, total=False):
    """What is stored: it replaces the object of that id whole. Without an id the server makes one."""

    id: str
    type: str
    body: Any
    tags: Mapping[str, str]
    ttl_seconds: int
    parents: Sequence[str]


class Query(TypedDict, total=False):
    """What a query asks for; all given conditions must hold."""

    tags: Mapping[str, str]
    type: str
    prefix: str
    where: Mapping[str, Any]
    """From a JSONPath such as ``$.status`` to a value, or to an operator with one: ``{"gt": 1}``."""
    fields: Sequence[str]
    """Top-level keys of ``body`` to keep."""
    order: Literal["id", "commit_seq", "-commit_seq"]


Patch = Union[Mapping[str, Any], Sequence[Mapping[str, Any]]]
"""A merge patch (RFC 7396) as a mapping, or a JSON patch (RFC 6902) as a list of steps."""
