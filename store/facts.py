"""Facts about an instance: few, small, and kept beside its configuration."""

from typing import Protocol


class Facts(Protocol):
    """Where they are kept. Raises ProblemError where that fails."""

    async def fact(self, key: str) -> str:
        """What is kept under a key, or empty."""

    async def keep_fact(self, key: str, value: str) -> None:
        """Keep a fact; empty is as good as none."""
