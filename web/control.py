"""What the JSON API asks of the process; `appliance.control` answers it. What is returned as Json has the shapes of --json."""

from collections.abc import Mapping
from typing import Any, Protocol

from store.actions import Done
from store.configuration import Actor, Applied, Document
from store.log import Filter
from store.settings import Configuration

Json = dict[str, Any]


class Control(Protocol):
    """The running (or, for a stopped agent's folder, the opened) process."""

    def configuration(self) -> Configuration:
        """What the process runs by now."""

    async def status(self) -> Json:
        """The object of `status --json`."""

    async def touchpoints(self) -> Json:
        """The object of `touchpoint list --json`."""

    async def apply(self, document: Document, *, base: str, digest: str, prune: bool, dry_run: bool, actor: Actor) -> Applied:
        """Apply a document and let the process follow: bind first, keep the old listener when the new cannot be bound."""

    async def show(self) -> str:
        """`config show`."""

    async def secret_sources(self) -> Mapping[str, str]:
        """Where each stored secret comes from, by fingerprint: `env:NAME`, `file:PATH`, or empty for one that was typed in."""

    async def rename(self, old: str, new: str, *, actor: Actor) -> Applied:
        """Rename a touchpoint."""

    async def remove(self, name: str, *, destination: str = "", actor: Actor) -> Applied:
        """Remove a touchpoint, or one destination of it; refused while something is undelivered."""

    async def test(
        self, touchpoint: str, body: bytes | None, *, headers: Mapping[str, str], deliver: bool, actor: Actor
    ) -> Json:
        """Sign a test event the provider's way, post it through the real receive path, and show what would be sent.

        `{event_id, verdict, reason, deliveries: [{destination, kind, target, method, headers, body_bytes, sent}]}`; with
        `deliver`, each destination's attempt as well: `{outcome, http_status, error}`.
        """

    async def trial(self, touchpoint: str, event_id: str, *, secret: str = "") -> Json | None:
        """What a touchpoint would make of a stored event now; nothing is sent or kept. None: no such event, or no body left.

        With a `secret`, as if it were the touchpoint's only one; it is kept nowhere.
        `{verdict, reason, event_type, reference, dedup_key, wanted, deliveries}`; deliveries as in `test`.
        """

    async def act(self, action: str, which: Filter, *, dry_run: bool, actor: Actor) -> Done:
        """hold | release | retry | give_up | dismiss | replay | verify | run_duplicate; wakes what must move; audited."""

    def alerts(self) -> Json:
        """How the channels of alerts fare, and what was told last.

        `{channels: [{channel, set_up, last_sent_at, error}],
        told: [{channel, code, count, text, touchpoint, destination, since, told_at, cleared_at}]}`
        """

    async def test_alerts(self, document: Document | None, *, actor: Actor) -> Json:
        """Send a test message by the settings as they would be with a document, or as they are; audited.

        `{channels: [{channel, sent, error}]}`. Raises ProblemError: what is wrong with the document, alerts_nowhere,
        alerts_test_too_soon.
        """

    def knock(self, touchpoint: int) -> Json | None:
        """What last came to a touchpoint (its id) and is stored nowhere: `{at, method, remote, status}`.

        A handshake, or a request by a wrong method (status 405), since the process started. `at` in microseconds.
        """

    def captured(self) -> list[Json]:
        """Secrets that senders set themselves, until a person has seen it, the oldest first.

        `{touchpoint, at, remote, fingerprint, value}`, `at` in microseconds. `value` is the secret in clear where a person has
        to enter it at the sender (Notion) and it is the only one, else empty: for the page of somebody who may change secrets,
        and for nothing else.
        """

    async def dismiss_captured(self, touchpoint: str, *, actor: Actor) -> None:
        """A person saw where a touchpoint's secret came from; audited. Raises ProblemError(touchpoint_unknown)."""

    async def check(self) -> Json:
        """`{configuration, events}`: whether each file reads from end to end."""

    async def start_empty(self, *, actor: Actor) -> None:
        """Begin with an empty events file where the old one is damaged. Raises ProblemError(events_file_usable)."""

    def selectors(self, names: Mapping[str, str]) -> Filter:
        """A filter from query parameters: names, and times as RFC 3339 or spans such as 36h. Raises ProblemError."""
