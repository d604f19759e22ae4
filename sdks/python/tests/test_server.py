"""The goal: both clients can do what the API can. The method: one script per subject, against a real node."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from blocking import blocking
from nodes import Cluster, cluster_of
from pydantic import BaseModel

import agentstate


@pytest.fixture(scope="module")
def node() -> Iterator[Cluster]:
    with cluster_of(1) as running:
        yield running


@pytest.fixture(params=["Client", "AsyncClient"])
def client(node: Cluster, request: pytest.FixtureRequest) -> Iterator[agentstate.Client]:
    url = node.nodes[0].url
    if request.param == "Client":
        with agentstate.Client(url, token=False) as made:
            yield made
        return
    loop = asyncio.new_event_loop()
    try:
        with blocking(loop, agentstate.AsyncClient(url, token=False)) as made:
            yield made
    finally:
        loop.close()


@pytest.fixture
def tasks(client: agentstate.Client, request: pytest.FixtureRequest) -> agentstate.Namespace:
    """A namespace of the test's own."""
    return client.namespace(f"agent://{request.node.originalname}/{request.node.callspec.id}")


def test_writes(tasks: agentstate.Namespace) -> None:
    wanted: agentstate.PutObject = {"id": "a", "type": "task", "body": {"n": 1, "old": True}, "tags": {"kind": "x"}}
    first = tasks.put(wanted, if_none_match="*")
    with pytest.raises(agentstate.PreconditionFailedError) as there:
        tasks.put({"id": "a"}, if_none_match="*")
    assert there.value.current_commit_seq == first.commit_seq

    merged = tasks.patch("a", {"body": {"old": None, "m": 2}, "tags": {"kind": "y"}}, if_match=first.commit_seq)
    assert (merged.body, merged.tags, merged.type) == ({"n": 1, "m": 2}, {"kind": "y"}, "task")
    stepped = tasks.patch("a", [{"op": "test", "path": "/body/n", "value": 1}, {"op": "remove", "path": "/body/m"}])
    assert (stepped.body, stepped.created_seq) == ({"n": 1}, first.commit_seq)
    with pytest.raises(agentstate.PreconditionFailedError):
        tasks.patch("a", {"body": None}, if_match=first.commit_seq)
    with pytest.raises(agentstate.NotFoundError):
        tasks.patch("none", {"body": 1})

    once = tasks.put({"body": "made"}, idempotency_key="one-write")
    assert tasks.put({"body": "made"}, idempotency_key="one-write").id == once.id
    with pytest.raises(agentstate.IdempotencyKeyReusedError):
        tasks.put({"body": "another"}, idempotency_key="one-write")
    assert tasks.delete("a", if_match=stepped.commit_seq).commit_seq > once.commit_seq
    with pytest.raises(agentstate.NotFoundError):
        tasks.get("a")
    with pytest.raises(agentstate.NotFoundError):
        tasks.delete("a")


def test_the_past(tasks: agentstate.Namespace) -> None:
    first = tasks.put({"id": "a", "body": 1})
    second = tasks.put({"id": "a", "body": 2})
    while second.ts == first.ts:  # Times are milliseconds: the two must differ to be asked for.
        second = tasks.put({"id": "a", "body": 2})
    gone = tasks.delete("a")
    third = tasks.put({"id": "a", "body": 3})

    assert tasks.at(first.commit_seq, "a").body == 1
    assert tasks.get("a", at_seq=second.commit_seq).commit_seq == second.commit_seq
    assert tasks.at(first.ts, "a").body == 1
    assert tasks.get("a", at=datetime.fromisoformat(second.ts.replace("Z", "+00:00"))).body == 2
    with pytest.raises(agentstate.NotFoundError):
        tasks.at(gone.commit_seq, "a")

    versions = tasks.history("a", page_size=2).all()
    assert [version.commit_seq for version in versions] == sorted((one.commit_seq for one in versions), reverse=True)
    assert [getattr(version, "body", "deleted") for version in versions[:3]] == [3, "deleted", 2]
    assert isinstance(versions[1], agentstate.DeletedVersion)
    assert (versions[0].commit_seq, versions[-1].commit_seq) == (third.commit_seq, first.commit_seq)
    assert len(tasks.history("a", limit=2).all()) == 2


QUERIES: list[tuple[agentstate.Query, list[str]]] = [
    ({}, ["a", "b", "c", "d"]),
    ({"tags": {"kind": "even"}}, ["b", "d"]),
    ({"type": "task", "prefix": "a"}, ["a"]),
    ({"where": {"$.n": 2}}, ["b"]),
    ({"where": {"$.n": {"gt": 1, "lte": 3}}}, ["b", "c"]),
    ({"where": {"$.n": {"ne": 2}, "$.deep.word": "x"}}, ["a", "c"]),
    ({"where": {"$.n": {"in": [1, 4, 9]}}}, ["a", "d"]),
    ({"where": {"$.deep": {"exists": False}}}, ["d"]),
    ({"where": {"$.n": {"gte": 3}}, "tags": {"kind": "odd"}}, ["c"]),
    ({"order": "-commit_seq"}, ["d", "c", "b", "a"]),
]


def test_queries(tasks: agentstate.Namespace) -> None:
    for n, id_ in enumerate("abcd", 1):
        body: dict[str, Any] = {"n": n} if id_ == "d" else {"n": n, "deep": {"word": "x"}}
        tasks.put({"id": id_, "type": "task", "body": body, "tags": {"kind": "odd" if n % 2 else "even"}})
    found = [[one.id for one in tasks.query(query, page_size=3)] for query, _ in QUERIES]
    assert found == [wanted for _, wanted in QUERIES]
    assert [one.body for one in tasks.query({"fields": ["n"], "prefix": "a"})] == [{"n": 1}]
    assert [one.id for one in tasks.query({"where": {"$.n": {"gt": 1}}}, limit=2, page_size=1)] == ["b", "c"]
    assert [one.id for one in tasks.list(prefix="b")] == ["b"]
    last = tasks.query({"order": "-commit_seq"}).first()
    assert last is not None and last.id == "d"
    with pytest.raises(agentstate.InvalidRequestError) as refused:
        tasks.query({"where": {"n": 1}}).all()
    assert refused.value.problem["errors"]


class Counter(BaseModel):
    n: int


def test_batches(tasks: agentstate.Namespace) -> None:
    first = tasks.put({"id": "a", "body": {"n": 1}})
    steps = [{"op": "replace", "path": "/body/n", "value": 3}]
    done = tasks.batch(
        [
            {"op": "check", "id": "none", "if_none_match": "*"},
            {"op": "put", "id": "b", "body": {"n": 2}, "if_none_match": "*"},
            {"op": "patch", "id": "a", "if_match": first.commit_seq, "patch": steps},
        ]
    )
    assert len(done.results) == 3
    assert [(one.id, one.commit_seq, one.body_as(Counter).n) for one in tasks.list()] == [
        ("a", done.commit_seq, 3),
        ("b", done.commit_seq, 2),
    ]
    with pytest.raises(agentstate.PreconditionFailedError):
        tasks.batch([{"op": "delete", "id": "b"}, {"op": "check", "id": "a", "if_match": first.commit_seq}])
    assert tasks.get("b").commit_seq == done.commit_seq
    changes = []
    with tasks.watch(after=first.commit_seq, bookmarks=True) as watch:
        for event in watch:
            if isinstance(event, (agentstate.PutEvent, agentstate.DeleteEvent)):
                changes.append((event.id, event.commit_seq))
            elif isinstance(event, agentstate.BookmarkEvent) and event.commit_seq >= done.commit_seq:
                break
    assert changes == [("b", done.commit_seq), ("a", done.commit_seq)]


def test_leases(tasks: agentstate.Namespace) -> None:
    with tasks.lease("report", ttl_seconds=30, owner="w") as lease:
        fence = tasks.lease_holder("report")
        assert (fence.owner, fence.token, lease.is_held) == ("w", lease.token, True)
        with pytest.raises(agentstate.LeaseHeldError) as held:
            tasks.lease("report", owner="x")
        assert held.value.owner == "w"
        assert tasks.put({"id": "a", "body": 1}, lease=lease).body == 1
        assert tasks.fenced_by(lease).patch("a", {"body": 2}).body == 2
    with pytest.raises(agentstate.NotFoundError):
        tasks.lease_holder("report")
    with tasks.lease("report", owner="x") as next_lease:
        assert next_lease.token > fence.token
        with pytest.raises(agentstate.FenceStaleError):
            tasks.put({"id": "a", "body": 3}, lease=fence)
        assert tasks.fenced_by(next_lease).delete("a").commit_seq > 0


def test_a_session_a_watch_and_a_mirror(client: agentstate.Client, request: pytest.FixtureRequest) -> None:
    ns = f"agent://mirror/{request.node.callspec.id}"
    with client.session() as session:
        written = [session.put(ns, {"id": id_, "body": n, "tags": {"id": id_}}) for n, id_ in enumerate("ab")]
        assert [session.get(ns, one.id).commit_seq for one in written] == [one.commit_seq for one in written]
        assert session.position(ns) == written[-1].commit_seq
    with client.mirror(ns) as mirror, client.watch(ns, initial=True, tags={"id": "b"}) as watch:
        mirror.wait_ready()
        assert {id_: one.body for id_, one in mirror.entries()} == {"a": 0, "b": 1}
        events = iter(watch)
        assert next(events).id == "b"
        client.delete(ns, "a")
        gone = client.delete(ns, "b")
        event = next(events)
        assert isinstance(event, agentstate.DeleteEvent)
        assert (event.id, event.body, event.reason, event.commit_seq) == ("b", None, "delete", gone.commit_seq)
        with client.watch(ns, after=gone.commit_seq - 1) as later:
            assert next(iter(later)).id == "b"
