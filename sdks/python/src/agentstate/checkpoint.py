"""Where a watch keeps its position between two runs of a program."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Protocol


class Checkpoint(Protocol):
    """Keeps a position. What is saved has been processed: the loop has come back for the next event.

    After a crash the newest events may come again, none is left out.
    """

    def load(self) -> int | None:
        """The saved position; ``None`` at the first start."""

    def save(self, position: int) -> None:
        """Everything up to the position has been processed."""


class FileCheckpoint:
    """Keeps the position in a file, which each save replaces whole and syncs. One watch per file."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Names the file; it is made with the first save."""
        self._path = Path(path)

    def load(self) -> int | None:
        """The saved position; ``None`` where there is no file."""
        try:
            text = self._path.read_text("ascii", "replace")
        except FileNotFoundError:
            return None
        if re.fullmatch(r"\d{1,16}\n", text) is None:
            raise ValueError(f"{self._path} does not hold a position of a watch")
        return int(text)

    def save(self, position: int) -> None:
        """A crash leaves the old position or the new one."""
        written = self._path.with_name(f"{self._path.name}.new")
        with written.open("w", encoding="ascii") as file:
            file.write(f"{position}\n")
            file.flush()
            os.fsync(file.fileno())
        written.replace(self._path)


class CheckpointWriter:
    """Saves at most once in so many seconds, and at the end."""

    def __init__(self, checkpoint: Checkpoint | None, interval: float) -> None:
        self._checkpoint = checkpoint
        self._interval = interval
        self._saved_at = 0.0
        self._unsaved: int | None = None

    def processed(self, position: int) -> None:
        """Everything up to the position has been processed."""
        if self._checkpoint is None:
            return
        self._unsaved = position
        if time.monotonic() - self._saved_at >= self._interval:
            self.flush()

    def flush(self) -> None:
        """Saves what is not saved yet."""
        if self._checkpoint is None or self._unsaved is None:
            return
        position, self._unsaved = self._unsaved, None
        self._checkpoint.save(position)
        self._saved_at = time.monotonic()
