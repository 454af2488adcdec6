"""What page and API ask of a data folder's backups, whichever role runs; `appliance.backup.safekeeping` answers it."""

from typing import Any, Protocol

from store.configuration import Actor

Json = dict[str, Any]


class Safekeeping(Protocol):
    """Backups that are kept, and what one that was put back left to be looked at."""

    async def told(self) -> Json:
        """`{backups: [{file, made_at, bytes}], trouble, restored}`, the newest first.

        `trouble`: why the last try made none; `restored`: of when the backup is that was put back, until somebody has looked.
        """

    async def make(self, *, actor: Actor) -> Json:
        """Make a backup and try it: `{file, made_at, bytes, waiting, bodies, claims, organisations, agents, with_key}`.

        Raises ProblemError.
        """

    async def looked(self, *, actor: Actor) -> Json:
        """Somebody has looked at what was put back: it is told no more. As `told`."""
