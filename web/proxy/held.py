"""What an answer holds of the memory for answers, until it was sent."""

from web.listener.budget import Budget


class Held:
    """The claims of one request on a budget; `release` gives all of it back."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._claims: list[int] = []

    async def take(self, n: int, seconds: float) -> bool:
        """Claim `n` bytes (at most all there are), waiting so long for them; whether they were had."""
        n = min(n, self._budget.limit)
        had = await self._budget.take(n, seconds)
        if had:
            self._claims.append(n)
        return had

    def keep(self, n: int) -> None:
        """Of what was claimed only so much is needed."""
        n = min(n, sum(self._claims))
        self.release()
        if self._budget.try_take(n):
            self._claims.append(n)

    def release(self) -> None:
        """Give back everything. Harmless when repeated."""
        claims, self._claims = self._claims, []
        for claim in claims:
            self._budget.give(claim)
