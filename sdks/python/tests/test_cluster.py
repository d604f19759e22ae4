"""The goal: a program does not notice that a node dies.

The method: while several writers write and a watch follows, all at one of three real nodes, that node is killed: in the
middle of the watch, and of what each writer has sent. When it is the leader, writes are cut that may or may not have
happened; when it is not, others happen while the watch is away.
"""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from nodes import Cluster, Node, cluster_of

import agentstate

WRITERS = 4
WRITES = 40
KILLED_AT = WRITERS * WRITES // 3
IDS = [f"{writer}-{n}" for writer in range(WRITERS) for n in range(WRITES)]


@pytest.fixture(scope="module")
def three_nodes() -> Iterator[Cluster]:
    with cluster_of(3) as running:
        yield running


@pytest.fixture
def cluster(three_nodes: Cluster) -> Iterator[Cluster]:
    """With all of its nodes, whatever the test before did to them."""
    three_nodes.start()
    yield three_nodes


@pytest.fixture(params=["leader", "follower"])
def killed(cluster: Cluster, request: pytest.FixtureRequest) -> Node:
    leader = cluster.leader()
    return leader if request.param == "leader" else next(node for node in cluster.nodes if node is not leader)


def check(events: list[agentstate.ChangeEvent], objects: list[agentstate.StoredObject]) -> None:
    """Each write happened once and was seen once, in the order of the history and of its writer."""
    assert [event.type for event in events] == ["PUT"] * len(events)
    seen = [event.id for event in events]
    assert sorted(seen) == sorted([*IDS, "end"])
    for writer in range(WRITERS):
        mine = [id_ for id_ in seen if id_.startswith(f"{writer}-")]
        assert mine == [f"{writer}-{n}" for n in range(WRITES)]
    positions = [event.commit_seq for event in events]
    assert positions == sorted(set(positions))
    assert {event.id: event.commit_seq for event in events} == {
        one.id: one.commit_seq for one in objects if one.id != "begin"
    }


def test_client(cluster: Cluster, killed: Node) -> None:
    third = threading.Semaphore(0)
    with agentstate.Client(cluster.urls_from(killed), token=False, timeout=5.0) as client:
        tasks = client.namespace(f"agent://killed/{secrets.token_hex(4)}")
        begun = tasks.put({"id": "begin"})
        watch = tasks.watch(after=begun.commit_seq)

        def follow() -> list[agentstate.ChangeEvent]:
            events: list[agentstate.ChangeEvent] = []
            for event in watch:
                assert isinstance(event, (agentstate.PutEvent, agentstate.DeleteEvent))
                events.append(event)
                if event.id == "end":
                    break
            return events

        def write(writer: int) -> None:
            for n in range(WRITES):
                # A write that happened twice would be refused the second time.
                tasks.put({"id": f"{writer}-{n}", "body": n}, if_none_match="*")
                third.release()

        with ThreadPoolExecutor(WRITERS + 1) as pool:
            try:
                following = pool.submit(follow)
                writing = [pool.submit(write, writer) for writer in range(WRITERS)]
                for _ in range(KILLED_AT):
                    assert third.acquire(timeout=120)
                killed.kill()
                for one in writing:
                    one.result()
                tasks.put({"id": "end"})
                events = following.result(timeout=120)
            finally:
                watch.close()
        check(events, tasks.list().all())


def test_async_client(cluster: Cluster, killed: Node) -> None:
    async def scenario() -> None:
        third = asyncio.Semaphore(0)
        async with agentstate.AsyncClient(cluster.urls_from(killed), token=False, timeout=5.0) as client:
            tasks = client.namespace(f"agent://killed/{secrets.token_hex(4)}")
            begun = await tasks.put({"id": "begin"})

            async def follow() -> list[agentstate.ChangeEvent]:
                events: list[agentstate.ChangeEvent] = []
                async with tasks.watch(after=begun.commit_seq) as watch:
                    async for event in watch:
                        assert isinstance(event, (agentstate.PutEvent, agentstate.DeleteEvent))
                        events.append(event)
                        if event.id == "end":
                            break
                return events

            async def write(writer: int) -> None:
                for n in range(WRITES):
                    # A write that happened twice would be refused the second time.
                    await tasks.put({"id": f"{writer}-{n}", "body": n}, if_none_match="*")
                    third.release()

            async def kill() -> None:
                for _ in range(KILLED_AT):
                    await third.acquire()
                await asyncio.to_thread(killed.kill)

            following = asyncio.create_task(follow())
            await asyncio.wait_for(asyncio.gather(kill(), *(write(writer) for writer in range(WRITERS))), 240)
            await tasks.put({"id": "end"})
            check(await asyncio.wait_for(following, 120), await tasks.list().all())

    asyncio.run(scenario())
