"""Facts in memory."""


class FactsInMemory:
    """See store.facts.Facts."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    async def fact(self, key: str) -> str:
        """See Facts."""
        return self.kept.get(key, "")

    async def keep_fact(self, key: str, value: str) -> None:
        """See Facts."""
        self.kept[key] = value
