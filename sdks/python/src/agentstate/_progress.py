"""How far a watch has come, across its connections."""

from __future__ import annotations

from datetime import datetime, timezone

from .models import ChangeEvent, DeleteEvent


class Progress:
    """Where the next connection resumes, and what of it is known already.

    Only the last event of a batch says a position. A connection that is cut inside a batch resumes before it, and gets
    the same events in the same order again; those that were delivered are counted and left out. The initial state has
    no positions at all and starts over, so its ids are remembered until it is complete.
    """

    def __init__(self, position: int | None, initial: bool) -> None:
        self.position = position
        self._batch_seq = 0
        self._delivered = 0
        """Delivered events of the batch at ``_batch_seq``, and how many of them this connection has sent again."""
        self._repeated = 0
        self._initial_ids: dict[str, int] | None = {} if initial else None
        """What the initial state has delivered so far, while it is under way."""
        self._seen: set[str] = set()

    @property
    def wants_initial(self) -> bool:
        """Whether the next connection asks for the state as it is."""
        return self._initial_ids is not None

    def connected(self) -> None:
        """A new connection has begun."""
        self._repeated = 0
        self._seen = set()

    def start_over(self) -> None:
        """The history is gone: start again with the state as it is."""
        self.position = None
        self._delivered = self._batch_seq = 0
        self._initial_ids = {}

    def take(self, event: ChangeEvent) -> bool:
        """Whether the event is new."""
        seq = event.commit_seq
        if self._initial_ids is not None:
            self._seen.add(event.id)
            is_new = self._initial_ids.get(event.id) != seq
            self._initial_ids[event.id] = seq
            return is_new
        if self.position is not None and seq <= self.position:
            return False
        if seq != self._batch_seq:
            self._batch_seq = seq
            self._delivered = self._repeated = 1
            return True
        self._repeated += 1
        if self._repeated <= self._delivered:
            return False
        self._delivered = self._repeated
        return True

    def reached(self, position: int, ns: str) -> list[DeleteEvent]:
        """Everything up to here has come. Gives what was delivered of a state that broke, and is gone since."""
        # A position never goes back: a node that is behind the one before would make events come twice.
        if self.position is None or position > self.position:
            self.position = position
        if self._initial_ids is None:
            return []
        gone = [id_ for id_ in self._initial_ids if id_ not in self._seen]
        self._initial_ids = None
        self._seen = set()
        ts = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
        return [DeleteEvent(type="DELETE", ns=ns, id=id_, commit_seq=position, ts=ts) for id_ in gone]
