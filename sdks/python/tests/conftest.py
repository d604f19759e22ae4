from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_server import ScriptedServer, scripted_server


@pytest.fixture(scope="session")
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No endpoint, token or proxy of the caller's shell may leak into a test."""
    for name in ("AGENTSTATE_ENDPOINT", "AGENTSTATE_TOKEN", "AGENTSTATE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells whoever adds up the tests of the whole project."""
    file = os.environ.get("AGENTSTATE_TEST_SUMMARY")
    if file is not None:
        stats = terminalreporter.stats
        failed = len(stats.get("failed", [])) + len(stats.get("error", []))
        Path(file).write_text(f"{len(stats.get('passed', []))} {failed}\n")
