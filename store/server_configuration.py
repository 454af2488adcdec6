"""The proxy's configuration: its settings, and which organisations there are. The database is the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from store.configuration import Actor, Change, Document
from store.server_settings import ServerConfiguration
from touchpoints.moment import Micros
from touchpoints.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerApplied:
    """What an apply did, or would do. With problems nothing was changed."""

    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()
    removed: tuple[int, ...] = ()  # ids of organisations that are gone: the caller erases their events
    configuration: ServerConfiguration | None = None  # the new one, when there are no problems


class ServerConfigurationStore(Protocol):
    """Reads and writes the proxy's configuration. Its secrets, and the proxy's own signing key, are sealed."""

    async def load(self, environment: Mapping[str, str]) -> ServerConfiguration:
        """The stored configuration; secrets with a source are read there anew.

        Raises ProblemError when it cannot be used: key_wrong, secret_unreadable, or what newer checks find.
        """

    async def apply(
        self,
        document: Document,
        *,
        base: str,
        prune: bool,
        dry_run: bool,
        actor: Actor,
        environment: Mapping[str, str],
        waiting: Mapping[int, int],
        now: Micros,
        digest: str = "",
    ) -> ServerApplied:
        """Merge a document into what is stored, check the whole, and save it in one transaction with its audit lines.

        - Every problem is reported at once, each with its path, and then nothing is changed.
        - `base` is the folder that certificate and key files are relative to; `waiting` counts events by organisation id: one
          that still has some is not removed by `prune` (problem `organisation_has_events`).
        - `digest`, where given, is the SHA-256 hex of the file, kept for `last_applied` in the same transaction.
        - Without `actor.machine`, what needs the right is a problem `needs_machine`.
        """

    async def show(self) -> str:
        """The whole configuration as TOML, which apply accepts."""

    async def secret_sources(self) -> Mapping[str, str]:
        """Where each stored secret is read from, by its fingerprint; empty for one that was given itself."""

    async def last_applied(self) -> str:
        """SHA-256 hex of the last file content applied by any means, or empty."""

    async def signing_key(self, fresh: bytes) -> bytes:
        """The proxy's private Ed25519 key, which agents pin at pairing; `fresh` becomes it the first time.

        Raises ProblemError(secret_unreadable) where the key file is another.
        """
