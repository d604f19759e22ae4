"""The scripted server of all SDKs, as a process of its own, over real sockets."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONFORMANCE = Path(__file__).parents[2] / "conformance"


@dataclass
class Script:
    """A script at work."""

    control: str
    id: str
    urls: list[str]

    def report(self) -> dict[str, Any]:
        """What has been asked so far."""
        return _ask("GET", f"{self.control}/{self.id}")

    def close(self) -> dict[str, Any]:
        """Ends its servers; the result is the last report."""
        return _ask("DELETE", f"{self.control}/{self.id}")


class ScriptedServer:
    """Plays scripts: see sdks/conformance/README.md."""

    def __init__(self, control: str) -> None:
        self._control = control

    def play(self, script: dict[str, Any]) -> Script:
        """Starts the servers of a script."""
        started = _ask("POST", f"{self._control}/", script)
        return Script(self._control, started["id"], started["urls"])


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Starts the process, and ends it."""
    process = subprocess.Popen(
        ["node", str(CONFORMANCE / "server.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        yield ScriptedServer(json.loads(process.stdout.readline())["control"])
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _ask(method: str, url: str, body: Any = None) -> dict[str, Any]:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, method=method)) as response:
        answer: dict[str, Any] = json.load(response)
        return answer
