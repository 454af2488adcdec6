"""What a queue must do, in plain dictionaries: the other half of the test that lets both run side by side."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from store.queue import LEASE
from touchpoints.moment import HOUR, Micros

LEAP = 100_000_000_000


@dataclass(slots=True)
class Message:
    """One event."""

    seq: int
    id: str
    queued_at: Micros
    size: int
    by: str = ""  # the agent that acknowledged it


@dataclass(slots=True)
class ModelLane:
    """One organisation."""

    next_seq: int = 1
    position: int = 0
    moves: list[tuple[Micros, int]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    agent: str = ""
    epoch: int = 0
    until: Micros | None = None  # None: the whole span, from the next look on
    finals: dict[int, int] = field(default_factory=dict)  # of epochs that ended
    moved: dict[str, int] = field(default_factory=dict)  # each agent's last epoch in which the position moved
    forgotten: set[int] = field(default_factory=set)  # epochs of which only so much is known that it is not too high
    settled: dict[str, int] = field(default_factory=dict)
    gap: tuple[int, int] | None = None
    restored_at: Micros = 0
    incarnation: str = "incarnation-1"
    older: dict[str, int] = field(default_factory=dict)  # an earlier incarnation: the number at which it ended

    def waiting(self, after: int = 0) -> list[Message]:
        return [message for message in self.messages if message.seq > max(after, self.position)]

    def put(self, name: str, size: int, at: Micros, most: int) -> bool:
        if any(message.id == name for message in self.messages):
            return True
        if len(self.waiting()) >= most:
            return False
        self.messages.append(Message(self.next_seq, name, at, size))
        self.next_seq += 1
        return True

    def look(self, now: Micros) -> None:
        self.until = now + LEASE if self.until is None else min(self.until, now + LEASE)

    def lease(self, agent: str, epoch: int, now: Micros) -> None:
        self.look(now)
        assert self.until is not None
        if self.agent == agent and self.epoch == epoch:
            self.until = now + LEASE
        elif not self.agent or self.until <= now or self.agent == agent:
            self.end()
            self.agent, self.epoch, self.until = agent, self.epoch + 1, now + LEASE

    def end(self) -> None:
        if self.agent:
            self.finals[self.epoch] = self.position
            self.agent = ""

    def move(self, to: int, now: Micros) -> None:
        to = min(to, self.next_seq - 1)
        if to > self.position:
            for message in self.waiting():
                if message.seq <= to:
                    message.by = self.agent
            self.position = to
            self.moved[self.agent] = self.epoch
            self.moves.append((now, to))

    def final(self, epoch: int) -> int | None:
        if epoch == self.epoch and self.agent:
            return self.position
        return self.finals.get(epoch)

    def unsettled(self, agent: str) -> list[Message]:
        return [m for m in self.messages if m.seq <= self.position and m.by == agent and m.seq > self.settled.get(agent, 0)]

    def again(self, messages: list[Message], now: Micros) -> int:
        for message in sorted(messages, key=lambda one: one.seq):
            self.messages.remove(message)
            self.messages.append(Message(self.next_seq, message.id, now, message.size))
            self.next_seq += 1
        return len(messages)

    def acknowledged_by(self, cutoff: Micros) -> int:
        """An acknowledgement's time is only kept by the hour, but for the last."""
        if not self.moves or self.moves[-1][0] < cutoff:
            return self.position
        return max((position for at, position in self.moves if at // HOUR < cutoff // HOUR), default=0)

    def expire(self, before: Micros, acknowledged_before: Micros) -> int:
        old = self.acknowledged_by(acknowledged_before)
        late = list(self._late(before))
        self.messages = [message for message in self.messages if message.seq > old and message not in late]
        first = min((message.seq for message in self.messages), default=2**62)
        self.forgotten |= {epoch for epoch, final in self.finals.items() if final < first} - set(self.moved.values())
        if self.restored_at < before:
            self.gap = None
        return len(late)

    def _late(self, before: Micros) -> Iterator[Message]:
        for message in self.waiting():
            if message.queued_at >= before:
                return
            yield message

    def restore(self, incarnation: str, next_seq: int, at: Micros) -> None:
        first = self.next_seq
        self.restored_at = at
        self.next_seq = max(first, next_seq)
        self.gap = (first, self.next_seq - 1) if self.next_seq > first else None
        if 0 < next_seq - 1 < first:
            self.gap = min(self.position + 1, next_seq - 1), next_seq - 1
            moved = first - 1 - self.position
            for message in self.waiting():
                message.seq += moved
            self.next_seq += moved
        self.agent, self.epoch, self.until = "", self.epoch + LEAP, None
        self.older[self.incarnation] = first
        self.incarnation = incarnation

    def erase(self) -> None:
        self.moved, self.forgotten = {}, set()
        self.messages, self.finals, self.settled, self.moves, self.gap, self.older = [], {}, {}, [], None, {}
        self.agent, self.position = "", self.next_seq - 1
