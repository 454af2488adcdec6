"""What an answer holds of the memory for answers, until it was sent."""

from web.listener.budget import Budget


class Held:
    """The claim of one request on a budget; `release` gives it back."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._claim = 0

    async def take(self, n: int, seconds: float) -> bool:
        """Claim `n` bytes (at most all there are) in the place of what was claimed, waiting so long; whether they were had."""
        self.release()
        n = min(n, self._budget.limit)
        had = await self._budget.take(n, seconds)
        if had:
            self._claim = n
        return had

    def keep(self, n: int) -> None:
        """Of what was claimed only so much is needed."""
        claim, self._claim = self._claim, min(n, self._claim)
        self._budget.lower(claim, self._claim)

    def release(self) -> None:
        """Give back everything. Harmless when repeated."""
        self.keep(0)
