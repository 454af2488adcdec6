"""What a case of the chaos run found."""

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Found:
    """Counts of events; all but `tried` and `repeated` must be 0."""

    tried: int = 0  # answered 2xx to their sender
    lost: int = 0  # tried, and neither executed nor waiting anywhere, nor stated as a gap
    repeated: int = 0  # executed once more, where it is said that they may be
    stuck: int = 0  # still waiting when nothing hindered them any more
    admitted: int = 0  # executed though altered, forged or given to two agents, or repeated where nothing excuses it
    notes: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.stuck or self.admitted)

    def add(self, other: "Found") -> None:
        """Count another round in."""
        self.tried += other.tried
        self.lost += other.lost
        self.repeated += other.repeated
        self.stuck += other.stuck
        self.admitted += other.admitted
        self.notes += other.notes

    def fault(self, words: str) -> None:
        """Something was let through that must not be."""
        self.admitted += 1
        self.notes.append(words)

    def must(self, true: object, words: str) -> None:
        """Count as admitted what is not so."""
        if not true:
            self.fault(words)
