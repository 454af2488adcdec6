"""Fate: what a seed decides, in the order it is asked."""

import random
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fate:
    """Chances of one run. While `calm`, nothing goes wrong any more."""

    seed: int
    calm: bool = True
    struck: Counter[str] = field(default_factory=Counter)
    crashes: float = field(init=False)  # at a commit
    failures: float = field(init=False)  # of a commit
    faults: float = field(init=False)  # of the network, and of destinations
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.crashes = self._random.choice((0.0, 0.002, 0.01))
        self.failures = self._random.choice((0.0, 0.01, 0.05))
        self.faults = self._random.choice((0.0, 0.1, 0.3))

    def happens(self, chance: float, name: str) -> bool:
        """Whether something goes wrong."""
        if self.calm or self._random.random() >= chance:
            return False
        self.struck[name] += 1
        return True

    def span(self, least: float, most: float) -> float:
        """A time in seconds."""
        return self._random.uniform(least, most)

    def number(self, least: int, most: int) -> int:
        """A whole number, both ends included."""
        return self._random.randint(least, most)

    def one_of(self, *names: str) -> str:
        """One of several."""
        return self._random.choice(names)
