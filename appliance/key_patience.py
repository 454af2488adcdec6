"""How long requests that are judged one after another wait for published keys in all: each may want another one."""

import asyncio


class KeyPatience:
    """So many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._until = self._steady() + seconds

    @property
    def left(self) -> float:
        """Seconds that the next one may wait."""
        return max(0.0, self._until - self._steady())

    @staticmethod
    def _steady() -> float:
        return asyncio.get_running_loop().time()
