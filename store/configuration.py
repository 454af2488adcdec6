"""The configuration's durable place: settings, touchpoints, secrets. The database is the truth; file and page write it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from store.captured import Captured
from store.settings import Configuration
from touchpoints.moment import Micros
from touchpoints.problem import Problem

Document = dict[str, Any]  # the shape of the configuration file: plain TOML values


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, for the audit log and for rights."""

    name: str  # "machine", "token:NAME", a person's name
    machine: bool = False  # carries the right to name env:, file:, certificates, keys, CAs, folders
    folders: bool = False  # a signed-in person who typed the password again: may name folders, and nothing else of these


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One line of what an apply changes, e.g. `touchpoint.orders.destination.erp.url changed`."""

    path: str
    what: str  # added | changed | removed


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an apply did, or would do. With problems nothing was changed."""

    problems: tuple[Problem, ...] = ()
    changes: tuple[Change, ...] = ()
    configuration: Configuration | None = None  # the new one, when there are no problems


class ConfigurationStore(Protocol):
    """Reads and writes the configuration; secrets are sealed under the key file."""

    async def load(self, environment: Mapping[str, str]) -> Configuration:
        """The stored configuration, its `env:` and `file:` secrets read anew. Raises ProblemError when it cannot be used."""

    async def apply(
        self,
        document: Document,
        *,
        base: str,
        prune: bool,
        dry_run: bool,
        actor: Actor,
        environment: Mapping[str, str],
        undelivered: Mapping[int, int],
        now: Micros,
        digest: str = "",
    ) -> Applied:
        """Merge a document into what is stored, check the whole, and save it in one transaction with its audit line.

        - Every problem is reported at once, each with its path, and then nothing is changed.
        - `base` is the folder that `file:` names are relative to; `undelivered` counts unsettled deliveries by destination id:
          what still has some is not removed by `prune` (problem `undelivered_events`).
        - `digest`, where given, is the SHA-256 hex of the file, kept for `last_applied` in the same transaction.
        - Without `actor.machine`, what needs the right is a problem `needs_machine`.
        """

    async def show(self) -> str:
        """The whole configuration as TOML, each secret as `stored:FINGERPRINT`, which apply accepts as "keep"."""

    async def secret_sources(self) -> Mapping[str, str]:
        """Where each stored secret comes from, by fingerprint: `env:NAME`, `file:PATH`, or empty for one that was typed in."""

    async def rename(self, old: str, new: str, *, actor: Actor, now: Micros) -> Applied:
        """Rename a touchpoint; the old name becomes an alias, so that no sender's URL dies."""

    async def remove(
        self, name: str, *, destination: str = "", actor: Actor, undelivered: Mapping[int, int], now: Micros
    ) -> Applied:
        """Remove a touchpoint, or one destination of it and nothing else; refused while it has undelivered events."""

    async def capture(self, touchpoint: int, secret: str, *, remote: str, now: Micros) -> Applied:
        """Take a secret that a sender set as the only one of the touchpoint with that id, audited with the sender's address.

        Problem `secret_there` where the touchpoint has a secret, or is gone: of two captures at once the first counts.
        """

    async def captured(self) -> Sequence[Captured]:
        """Captured secrets that are still in use and that no person has dismissed, the oldest first."""

    async def dismiss_captured(self, touchpoint: int, *, actor: Actor, now: Micros) -> None:
        """A person saw where a touchpoint's secret came from."""

    async def last_applied(self) -> str:
        """SHA-256 hex of the last file content applied by any means, or empty."""
