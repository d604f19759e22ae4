"""The goal: watches, mirrors and checkpoints end and go on as they should. The method: a server that is scripted."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from scripted_server import Script, ScriptedServer

import agentstate

NS = "agent://demo"
HOLD = {"hold": True}
CUT = {"cut": True}


def put(id: str, seq: int, with_id: bool = True) -> dict[str, Any]:
    stored = {"id": id, "ns": NS, "commit_seq": seq, "body": seq}
    event = {"type": "PUT", "ns": NS, "id": id, "commit_seq": seq, "ts": "t", "object": stored}
    return {"id": seq, "event": event} if with_id else {"event": event}


def gone(id: str, seq: int) -> dict[str, Any]:
    return {"id": seq, "event": {"type": "DELETE", "ns": NS, "id": id, "commit_seq": seq, "ts": "t"}}


def mark(seq: int) -> dict[str, Any]:
    return {"id": seq, "event": {"type": "BOOKMARK", "ns": NS, "commit_seq": seq}}


def play(server: ScriptedServer, *answers: dict[str, Any]) -> tuple[Script, agentstate.Client]:
    script = server.play({"steps": [{"answer": answer} for answer in answers]})
    return script, agentstate.Client(script.urls, retry=agentstate.Retry(base_delay=0.001))


def test_a_watch_that_waits_is_closed_from_another_thread(server: ScriptedServer) -> None:
    script, client = play(server, {"stream": [mark(1), HOLD]})
    watch = client.watch(NS, bookmarks=True)
    assert next(watch).type == "BOOKMARK"
    left = threading.Event()

    def loop() -> None:
        for _ in watch:
            pass
        left.set()

    thread = threading.Thread(target=loop)
    thread.start()
    watch.close()
    thread.join(30)
    assert left.is_set()
    script.close()
    client.close()


def test_a_task_that_watches_can_be_cancelled(server: ScriptedServer) -> None:
    script, client = play(server, {"stream": [mark(1), HOLD]})

    async def run() -> None:
        async with agentstate.AsyncClient(script.urls) as client:
            begun = asyncio.Event()

            async def loop() -> None:
                async for _ in client.watch(NS, bookmarks=True):
                    begun.set()

            task = asyncio.create_task(loop())
            await begun.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())
    script.close()
    client.close()


def test_a_mirror_is_complete_when_it_is_ready_and_follows(server: ScriptedServer) -> None:
    script, client = play(
        server,
        {"stream": [put("a", 1, False), put("b", 2, False), mark(2), CUT]},
        {"stream": [mark(2), gone("a", 3), put("c", 4), HOLD]},
    )
    seen: list[tuple[str, str]] = []
    saw_c = threading.Event()

    def listen(change: agentstate.ChangeEvent) -> None:
        seen.append((change.type, change.id))
        if change.id == "c":
            saw_c.set()

    with client, client.mirror(NS) as mirror:
        mirror.subscribe(listen)
        assert mirror.wait_ready(30)
        assert saw_c.wait(30)
        assert ("a" in mirror, len(mirror), mirror.position) == (False, 2, 4)
        found = mirror.get("c")
        assert found is not None and found.body == 4
    assert seen[-2:] == [("DELETE", "a"), ("PUT", "c")]
    script.close()


def test_a_mirror_starts_over_where_history_is_gone(server: ScriptedServer) -> None:
    script, client = play(
        server,
        {"stream": [put("a", 1, False), put("b", 2, False), mark(2), CUT]},
        {"status": 410, "json": {"status": 410, "code": "compacted", "detail": "gone", "first_available": 50}},
        {"stream": [put("b", 2, False), put("c", 60, False), mark(61), HOLD]},
    )

    async def run() -> list[tuple[str, str]]:
        seen: list[tuple[str, str]] = []
        async with agentstate.AsyncClient(script.urls, retry=agentstate.Retry(base_delay=0.001)) as client:
            async with client.mirror(NS) as mirror:
                done = asyncio.Event()

                def listen(change: agentstate.ChangeEvent) -> None:
                    seen.append((change.type, change.id))
                    if len(seen) == 4:
                        done.set()

                mirror.subscribe(listen)
                await mirror.wait_ready()
                await done.wait()
                assert [id for id, _ in mirror.entries()] == ["b", "c"]
        return seen

    assert asyncio.run(run()) == [("PUT", "a"), ("PUT", "b"), ("PUT", "c"), ("DELETE", "a")]
    script.close()
    client.close()


def test_a_mirror_that_may_not_watch_says_so(server: ScriptedServer) -> None:
    problem = {"status": 401, "code": "token_expired", "detail": "late"}
    script, client = play(server, {"status": 401, "json": problem})
    with client, client.mirror(NS) as mirror, pytest.raises(agentstate.AuthenticationError):
        mirror.wait_ready(30)
    script.close()


def test_what_was_processed_does_not_come_again_what_was_not_does(server: ScriptedServer, tmp_path: Path) -> None:
    script = server.play(
        {
            "steps": [
                {"answer": {"stream": [put("a", 1), put("b", 2), put("c", 3), HOLD]}},
                {"expect": {"headers": {"last-event-id": "1"}}, "answer": {"stream": [put("b", 2), HOLD]}},
            ]
        }
    )
    file = tmp_path / "position"
    seen: list[str | None] = []
    with agentstate.Client(script.urls) as client:
        with client.watch(NS, checkpoint=agentstate.FileCheckpoint(file), checkpoint_interval=0) as watch:
            for event in watch:
                seen.append(event.id)
                if event.id == "b":
                    break
        assert file.read_text() == "1\n"
        with client.watch(NS, checkpoint=agentstate.FileCheckpoint(file), initial=True) as watch:
            seen.append(next(watch).id)
    assert seen == ["a", "b", "b"]
    assert script.close()["problems"] == []


def test_a_checkpoint_file_that_holds_something_else_is_told(tmp_path: Path) -> None:
    file = tmp_path / "position"
    file.write_text("hello")
    with agentstate.Client() as client, pytest.raises(ValueError, match="does not hold a position"):
        client.watch(NS, checkpoint=agentstate.FileCheckpoint(file))
