"""What the operator's page and API ask of the process; `appliance.proxy.control` answers it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from store.configuration import Actor, Document
from store.server_configuration import ServerApplied
from store.server_settings import ServerConfiguration
from web.operator.view import FreshCode, OrganisationView

Json = dict[str, Any]


class OperatorControl(Protocol):
    """The running (or, for a stopped proxy's folder, the opened) process. Raises ProblemError for what a person must mend."""

    def configuration(self) -> ServerConfiguration:
        """What the process runs by now."""

    async def status(self) -> Json:
        """The object of `status --json`."""

    async def organisations(self, *, after: str = "", limit: int = 0) -> Sequence[OrganisationView]:
        """Organisations by name, those after a name; `limit` 0: all. Their gaps and unsettled events are left out."""

    async def organisation(self, name: str) -> OrganisationView:
        """One organisation with all there is to see. Raises ProblemError(organisation_unknown)."""

    async def add(self, name: str, *, quota_events: int | None, quota_bytes: int | None, actor: Actor) -> FreshCode:
        """Add an organisation, with its first pairing code."""

    async def code(self, name: str, *, replaces: str, actor: Actor) -> FreshCode:
        """A further pairing code; `replaces` names an agent whose place the new one takes."""

    async def revoke(self, name: str, agent: str, *, actor: Actor) -> str:
        """Revoke an agent by name or id; its name. Its waiting pull ends, and another agent takes over at once."""

    async def change(self, name: str, *, quota_events: int | None, quota_bytes: int | None, actor: Actor) -> None:
        """Set an organisation's quota; None: the server's."""

    async def take_over(self, name: str, agent: str, *, actor: Actor) -> int:
        """Queue again what an agent took and did not settle; how many events. They may run twice."""

    async def remove(self, name: str, *, actor: Actor) -> int:
        """Remove an organisation and erase everything of it; how many events waited."""

    def export(self, name: str) -> AsyncIterator[bytes]:
        """Everything of an organisation as JSON Lines; the events in it stay sealed."""

    async def apply(
        self, document: Document, *, base: str, digest: str, prune: bool, dry_run: bool, actor: Actor
    ) -> ServerApplied:
        """Apply a document and let the process follow: bind first, keep the old listener when the new cannot be bound."""

    async def show(self) -> str:
        """`config show`."""

    async def secret_sources(self) -> Mapping[str, str]:
        """Where each stored secret is read from, by its fingerprint; empty for one that was given itself."""

    async def check(self) -> Json:
        """`{configuration, events}`: whether each file reads from end to end."""

    async def start_empty(self, *, actor: Actor) -> None:
        """Begin with an empty queue where the old file is damaged. Raises ProblemError(queue_file_usable)."""
