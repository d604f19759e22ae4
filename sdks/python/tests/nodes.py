"""Real nodes of AgentState, as processes on the loopback, which a test may kill."""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, TypeVar

ROOT = Path(__file__).parents[3]
Value = TypeVar("Value")
# It bounds a hang on a busy machine; it measures nothing.
_DEADLINE_SECONDS = 120.0
_POLL_SECONDS = 0.05
# Below the ports that systems give to outgoing connections, so that none is lost while its node is down.
_PORTS = range(20_000, 30_000)


class Node:
    """One node: its folder and its ports stay when its process goes."""

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self.name = name
        self.url = f"http://127.0.0.1:{environment['HTTP_PORT']}"
        self._folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None

    def start(self) -> None:
        """Starts the process unless it runs, and waits for nothing."""
        if self._process is not None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        # Only what a program needs to run: no key or port of the caller's shell may leak into a test.
        environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        environment |= {"DEV_MODE": "true", "DATA_DIR": str(self._folder / "data"), **self._environment}
        self._log = (self._folder / "log").open("ab")
        self._process = subprocess.Popen(
            ["node", str(ROOT / "bin/agentstate"), "serve"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def kill(self) -> None:
        """A power cut: nothing is flushed, nobody is told."""
        if self._process is None or self._log is None:
            return
        self._process.kill()
        self._process.wait()
        self._log.close()
        self._process = self._log = None

    def wait_ready(self) -> None:
        """Returns when every group has a leader, and this node has caught up."""
        until(f"{self.name} to be ready", self._is_ready)

    def leads(self) -> bool:
        """Whether it says that it leads the group of the data."""
        groups = self.ask("/admin/cluster")["groups"]
        return any(group["group_id"] == 1 and group["leader"] == self.name for group in groups)

    def ask(self, path: str) -> Any:
        """What the node answers, as JSON."""
        with urllib.request.urlopen(self.url + path, timeout=10) as response:
            return json.load(response)

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self.name} has ended:\n{(self._folder / 'log').read_text()}")
        try:
            self.ask("/ready")
        except OSError:
            return False
        return True


class Cluster:
    """Nodes that know each other from their first start on."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes

    def start(self) -> None:
        """Returns when all of them are ready."""
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_ready()

    def leader(self) -> Node:
        """The node that leads: it says so itself."""
        return until("a leader", lambda: next((node for node in self.nodes if node.leads()), None))

    def urls_from(self, first: Node) -> list[str]:
        """All addresses, this node's before the others."""
        return [first.url, *(node.url for node in self.nodes if node is not first)]


@contextmanager
def cluster_of(count: int) -> Iterator[Cluster]:
    """Starts nodes, and leaves nothing of them behind."""
    _build_if_missing()
    names = [f"node-{at + 1}" for at in range(count)]
    ports = iter(_free_ports(3 * count))
    places = {name: {"HTTP_PORT": next(ports), "ADMIN_PORT": next(ports), "PEER_PORT": next(ports)} for name in names}
    members = ",".join(f"{name}=127.0.0.1:{places[name]['PEER_PORT']}@local" for name in names)
    secret = secrets.token_urlsafe(32)
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="agentstate-python-"))
        stack.callback(shutil.rmtree, folder)
        nodes = []
        for name in names:
            environment = {setting: str(port) for setting, port in places[name].items()}
            if count > 1:
                environment |= {"CLUSTER_NODES": members, "CLUSTER_SECRET": secret, "PEER_HOST": "127.0.0.1"}
            nodes.append(Node(name, folder / name, {"NODE_ID": name, **environment}))
            stack.callback(nodes[-1].kill)
        cluster = Cluster(nodes)
        cluster.start()
        yield cluster


def until(what: str, look: Callable[[], Value | None]) -> Value:
    """Asks again and again until there is something true."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"waited {_DEADLINE_SECONDS} s in vain for {what}")


def _build_if_missing() -> None:
    """The checks of this SDK may be the first thing that is run in a fresh clone."""
    if not (ROOT / "dist/apps/cli/src/main.js").exists():
        subprocess.run(["npm", "run", "--silent", "build"], cwd=ROOT, check=True)


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on right now, different from each other."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError("no port is free")
