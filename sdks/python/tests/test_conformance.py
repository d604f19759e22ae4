"""The goal: both clients do what every SDK does. The method: the shared cases, against the shared server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import BaseModel
from scripted_server import CONFORMANCE, ScriptedServer

import agentstate

Values = dict[str, Any]
CASES = [
    pytest.param(case, id=f"{file.name}: {case['name']}")
    for file in sorted(CONFORMANCE.glob("*.json"))
    for case in json.loads(file.read_text("utf-8"))["cases"]
]
SECONDS = {"timeout_ms": "timeout", "wait_ms": "wait", "silence_ms": "silence"}


def in_seconds(values: Values) -> Values:
    """Times are milliseconds in the cases, seconds here."""
    return {SECONDS.get(name, name): value / 1000 if name in SECONDS else value for name, value in values.items()}


def client_options(case: Values, urls: list[str]) -> Values:
    """The client that a case describes. Its waits are short: that they happen is what counts."""
    options = in_seconds(case.get("client", {}))
    regions = options.pop("regions", [])
    retry = agentstate.Retry(max_retries=options.pop("max_retries", 8), base_delay=0.002, max_delay=0.02)
    endpoints = [
        agentstate.Endpoint(url, regions[at] if at < len(regions) else None) for at, url in enumerate(urls)
    ]
    return {"token": False, "endpoints": endpoints, "retry": retry, **options}


class Caller:
    """Carries out the calls of a case, in the words of one client."""

    def __init__(self, client: agentstate.Client) -> None:
        self.client = client
        self.leases: dict[str, agentstate.Lease] = {}

    def carry_out(self, call: Values) -> tuple[Any, Exception | None]:
        result: list[Any] = []
        try:
            if call["call"] != "watch":
                return self.result(call), None
            with self.client.watch(call["ns"], **self.options(call)) as watch:
                for event in watch:
                    result.append(event)
                    if len(result) == call["take"]:
                        break
        except agentstate.AgentStateError as error:
            return result, error
        return result, None

    def result(self, call: Values) -> Any:
        client, options = self.client, self.options(call)
        ns, id_, key = call.get("ns", ""), call.get("id", ""), call.get("key", "")
        calls: dict[str, Callable[[], Any]] = {
            "put": lambda: client.put(ns, call["object"], **options),
            "get": lambda: client.get(ns, id_, **options),
            "at": lambda: client.at(ns, call["moment"], id_),
            "patch": lambda: client.patch(ns, id_, call["patch"], **options),
            "delete": lambda: client.delete(ns, id_, **options),
            "list": lambda: client.list(ns, **options).all(),
            "query": lambda: client.query(ns, call["query"], **options).all(),
            "history": lambda: client.history(ns, id_, **options).all(),
            "batch": lambda: client.batch(ns, call["operations"], **options),
            "lease": lambda: self.leases.setdefault(key, client.lease(ns, key, **options)),
            "lease_holder": lambda: client.lease_holder(ns, key),
            "release": lambda: self.leases[key].release(),
            "lost": lambda: self.leases[key].wait_lost() and self.leases[key].raise_if_lost(),  # type: ignore[func-returns-value]
        }
        return calls[call["call"]]()

    def options(self, call: Values) -> Values:
        options = in_seconds(call.get("options", {}))
        return {**options, "lease": self.leases[options["lease"]]} if "lease" in options else options


class AsyncCaller:
    """Carries out the calls of a case, in the words of the other client."""

    def __init__(self, client: agentstate.AsyncClient) -> None:
        self.client = client
        self.leases: dict[str, agentstate.AsyncLease] = {}

    async def carry_out(self, call: Values) -> tuple[Any, Exception | None]:
        result: list[Any] = []
        try:
            if call["call"] != "watch":
                return await self.result(call), None
            async with self.client.watch(call["ns"], **self.options(call)) as watch:
                async for event in watch:
                    result.append(event)
                    if len(result) == call["take"]:
                        break
        except agentstate.AgentStateError as error:
            return result, error
        return result, None

    async def result(self, call: Values) -> Any:
        client, options = self.client, self.options(call)
        ns, id_, key = call.get("ns", ""), call.get("id", ""), call.get("key", "")

        async def lease() -> agentstate.AsyncLease:
            self.leases[key] = await client.lease(ns, key, **options)
            return self.leases[key]

        async def lost() -> None:
            await self.leases[key].wait_lost()
            self.leases[key].raise_if_lost()

        calls: dict[str, Callable[[], Awaitable[Any]]] = {
            "put": lambda: client.put(ns, call["object"], **options),
            "get": lambda: client.get(ns, id_, **options),
            "at": lambda: client.at(ns, call["moment"], id_),
            "patch": lambda: client.patch(ns, id_, call["patch"], **options),
            "delete": lambda: client.delete(ns, id_, **options),
            "list": lambda: client.list(ns, **options).all(),
            "query": lambda: client.query(ns, call["query"], **options).all(),
            "history": lambda: client.history(ns, id_, **options).all(),
            "batch": lambda: client.batch(ns, call["operations"], **options),
            "lease": lease,
            "lease_holder": lambda: client.lease_holder(ns, key),
            "release": lambda: self.leases[key].release(),
            "lost": lost,
        }
        return await calls[call["call"]]()

    def options(self, call: Values) -> Values:
        options = in_seconds(call.get("options", {}))
        return {**options, "lease": self.leases[options["lease"]]} if "lease" in options else options


def value(result: Any) -> Any:
    """A result as plain data, with the properties that a watch's events have beside their members."""
    if isinstance(result, list):
        return [value(item) for item in result]
    if isinstance(result, (agentstate.Lease, agentstate.AsyncLease)):
        return {"key": result.key, "owner": result.owner, "token": result.token}
    if isinstance(result, BaseModel):
        plain = result.model_dump()
        return {**plain, "body": result.body} if hasattr(result, "body") else plain
    return result


def described(error: Exception | None) -> Values | None:
    """An error in the words of the cases."""
    return None if error is None else {"type": type(error).__name__, "message": str(error), **vars(error)}


def differences(wanted: Any, found: Any, where: str = "") -> list[str]:
    """Where a result is not as it is wanted; members that are not named may be anything."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return [
            text
            for name, part in wanted.items()
            for text in differences(part, found.get(name, "nothing"), f"{where}.{name}")
        ]
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        return [
            text for at, part in enumerate(wanted) for text in differences(part, found[at], f"{where}[{at}]")
        ]
    return [] if wanted == found else [f"{where}: {found!r} is not {wanted!r}"]


def check(call: Values, result: Any, error: Exception | None, report: Values) -> None:
    assert [text for text in report["problems"] if "not reached" not in text] == [], call
    if "error" not in call:
        assert error is None, call
    else:
        assert differences(call["error"], described(error)) == [], call
    if "result" in call:
        assert differences(call["result"], value(result)) == [], call


def check_end(case: Values, report: Values) -> None:
    assert report["problems"] == []
    assert report["flooded_bytes"] <= case.get("flood_limit_bytes", 0)


@pytest.mark.parametrize("case", CASES)
def test_client(case: Values, server: ScriptedServer) -> None:
    script = server.play(case)
    try:
        with agentstate.Client(**client_options(case, script.urls)) as client:
            caller = Caller(client)
            for call in case["calls"]:
                check(call, *caller.carry_out(call), script.report())
    finally:
        report = script.close()
    check_end(case, report)


@pytest.mark.parametrize("case", CASES)
def test_async_client(case: Values, server: ScriptedServer) -> None:
    script = server.play(case)

    async def run() -> None:
        async with agentstate.AsyncClient(**client_options(case, script.urls)) as client:
            caller = AsyncCaller(client)
            for call in case["calls"]:
                check(call, *await caller.carry_out(call), script.report())

    try:
        asyncio.run(run())
    finally:
        report = script.close()
    check_end(case, report)
